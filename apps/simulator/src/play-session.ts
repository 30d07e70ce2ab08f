// One client that plays one stream: takes what is due from the shared packets and sends it.

import { randomBytes } from 'node:crypto';
import type { Clip } from './clip.js';
import { PACKET_HEADER_BYTES, PREFIX_BYTES, type PacketGroup } from './rtp-packets.js';
import { senderReport } from './sender-report.js';
import type { SessionEnd, SimulatedStream, Viewer } from './stream.js';
import type { WheelTask } from './timer-wheel.js';

/** Where a session's packets go: an RTSP connection, or two UDP sockets. */
export interface PacketPort {
  /** Bytes handed over and not yet taken by the kernel. */
  readonly backlogBytes: number;
  /**
   * `bytes` holds whole packets with interleaved framing in front of each. It belongs to the caller
   * again when the answer is true; when false the port keeps it.
   */
  send(bytes: Buffer): boolean;
  end(reason: SessionEnd): void;
}

/** Faults of one session, asked for in the stream's URL. */
export interface SessionFaults {
  readonly dropEvery?: number;
  readonly stallAfterMs?: number;
  readonly closeAfterMs?: number;
  readonly garbageAfterMs?: number;
  /** Begins between key frames, as a camera that does not wait. */
  readonly startsMidGroup?: boolean;
}

export interface PlayCounters {
  packets: number;
  bytes: number;
  /** Packets left out on purpose. */
  dropped: number;
  ends: Partial<Record<SessionEnd, number>>;
}

export interface PlayOptions {
  readonly stream: SimulatedStream;
  readonly clip: Clip;
  readonly port: PacketPort;
  readonly channel: number;
  readonly faults: SessionFaults;
  readonly counters: PlayCounters;
  /** Unix milliseconds minus `performance.now()`. */
  readonly epochMs: number;
}

const TICKS_PER_MS = 90;
const REPORT_EVERY_MS = 5000;
const MOST_BACKLOG_BYTES = 1024 * 1024;
/** Behind by more than this, a session goes on from now. */
const MOST_LATE_TICKS = 3 * 90_000;
const TIMESTAMP_RANGE = 2 ** 32;

/** Shared by all sessions: a batch is patched here, and the kernel takes it before the next one. */
let scratch = Buffer.allocUnsafe(512 * 1024);

export class PlaySession implements WheelTask, Viewer {
  readonly ssrc = randomBytes(4).readUInt32BE(0);
  readonly #options: PlayOptions;
  #sequence = randomBytes(2).readUInt16BE(0);
  #timestampBase = randomBytes(4).readUInt32BE(0);
  /** Times of the loop, ticks since the Unix epoch plus the stream's lead. */
  #originTicks = 0;
  #groupStartTicks = 0;
  #groupIndex = 0;
  #group: PacketGroup | undefined;
  #packet = 0;
  #startedAtMs = 0;
  #nextReportMs = 0;
  #sentPackets = 0;
  #sentBytes = 0;
  #untilDrop = 0;
  #closesMidFrame = false;
  #saidGarbage = false;
  #closed = false;

  constructor(options: PlayOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get nextSequence(): number {
    return this.#sequence;
  }

  /** Finds the place in the loop; gives the time of the first packet for the wheel. */
  start(nowMs: number): number {
    const { stream, clip, faults } = this.#options;
    stream.sessions.add(this);
    this.#startedAtMs = nowMs;
    this.#nextReportMs = nowMs;
    const nowTicks = this.#ticksAt(nowMs);
    const position = clip.positionAt(nowTicks);
    this.#groupStartTicks = nowTicks - position.offset90k;
    this.#enter(position.group);
    const group = this.#group;
    if (faults.startsMidGroup === true && group !== undefined) {
      while (
        this.#packet < group.count - 1 &&
        (group.startsFrame[this.#packet] !== 1 ||
          (group.dues90k[this.#packet] ?? 0) < position.offset90k)
      ) {
        this.#packet += 1;
      }
    } else {
      this.#nextGroup();
    }
    this.#originTicks = this.#groupStartTicks;
    return this.#msAt(this.#dueTicks());
  }

  /** The RTP timestamp of the first packet, for the RTP-Info header. */
  get firstTimestamp(): number {
    return (this.#timestampBase + (this.#group?.ticks90k[this.#packet] ?? 0)) % TIMESTAMP_RANGE;
  }

  run(nowMs: number): number | undefined {
    if (this.#closed) return undefined;
    const { stream, port } = this.#options;
    if (port.backlogBytes > MOST_BACKLOG_BYTES) {
      this.close('slow-client');
      return undefined;
    }
    const stalled = this.#applyFaults(nowMs);
    if (this.#closed) return undefined;
    const nowTicks = this.#ticksAt(nowMs);
    if (stalled || stream.faults.stalled === true) {
      this.#skipTo(nowTicks);
      return nowMs + 20;
    }
    if (nowTicks - this.#dueTicks() > MOST_LATE_TICKS) this.#skipTo(nowTicks);
    if (nowMs >= this.#nextReportMs) this.#report(nowMs);
    while (!this.#closed && this.#dueTicks() <= nowTicks) {
      this.#sendDue(nowTicks);
      if (this.#packet >= (this.#group?.count ?? 0)) this.#nextGroup();
    }
    return this.#closed ? undefined : this.#msAt(this.#dueTicks());
  }

  sendRaw(bytes: Uint8Array): void {
    this.#options.port.send(Buffer.from(bytes));
  }

  closeMidFrame(): void {
    this.#closesMidFrame = true;
  }

  jumpTimestamps(): void {
    this.#timestampBase = randomBytes(4).readUInt32BE(0);
  }

  /** Idempotent. */
  close(reason: SessionEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    const { stream, counters, port } = this.#options;
    stream.sessions.delete(this);
    counters.ends[reason] = (counters.ends[reason] ?? 0) + 1;
    port.end(reason);
  }

  #ticksAt(nowMs: number): number {
    const { epochMs, stream } = this.#options;
    return Math.floor((epochMs + nowMs) * TICKS_PER_MS) + stream.aheadTicks90k;
  }

  #msAt(ticks: number): number {
    const { epochMs, stream } = this.#options;
    return (ticks - stream.aheadTicks90k) / TICKS_PER_MS - epochMs;
  }

  #dueTicks(): number {
    return this.#groupStartTicks + (this.#group?.dues90k[this.#packet] ?? 0);
  }

  #enter(index: number): void {
    const { stream, clip } = this.#options;
    this.#groupIndex = index;
    this.#group = stream.footage.packetsOf(clip, index);
    this.#packet = 0;
  }

  #nextGroup(): void {
    this.#groupStartTicks += this.#group?.duration90k ?? 90_000;
    this.#enter(this.#options.clip.positionAt(this.#groupStartTicks).group);
  }

  /** Goes on with the group after the one that holds `nowTicks`. */
  #skipTo(nowTicks: number): void {
    while (this.#groupStartTicks <= nowTicks) this.#nextGroup();
  }

  #applyFaults(nowMs: number): boolean {
    const { faults } = this.#options;
    const playedMs = nowMs - this.#startedAtMs;
    if (playedMs > (faults.closeAfterMs ?? Infinity)) this.closeMidFrame();
    if (!this.#saidGarbage && playedMs > (faults.garbageAfterMs ?? Infinity)) {
      this.#saidGarbage = true;
      this.sendRaw(Buffer.alloc(64, 0xee));
    }
    return playedMs > (faults.stallAfterMs ?? Infinity);
  }

  /** Sends what is due of the current group in one write. */
  #sendDue(nowTicks: number): void {
    const group = this.#group;
    if (group === undefined) return;
    const first = this.#packet;
    let last = first;
    while (last < group.count && this.#groupStartTicks + (group.dues90k[last] ?? 0) <= nowTicks) {
      last += 1;
    }
    if (this.#closesMidFrame) last = endInsideFrame(group, first, last);
    const bytes = this.#patch(group, first, last);
    this.#packet = last;
    if (bytes > 0 && !this.#options.port.send(scratch.subarray(0, bytes))) {
      scratch = Buffer.allocUnsafe(scratch.length);
    }
    const isInside = last < group.count && group.startsFrame[last] === 0;
    if (this.#closesMidFrame && isInside) this.close('fault');
  }

  /** Copies packets into the scratch buffer with this session's header fields; gives their bytes. */
  #patch(group: PacketGroup, first: number, last: number): number {
    const { stream, channel, faults, counters } = this.#options;
    const dropEvery = stream.faults.dropEvery ?? faults.dropEvery ?? 0;
    const from = group.offsets[first] ?? 0;
    const needed = (group.offsets[last] ?? 0) - from;
    if (needed > scratch.length) scratch = Buffer.allocUnsafe(needed * 2);
    if (dropEvery === 0) group.buffer.copy(scratch, 0, from, from + needed);
    const base = this.#timestampBase + this.#groupStartTicks - this.#originTicks;
    let at = 0;
    for (let packet = first; packet < last; packet++) {
      const start = group.offsets[packet] ?? 0;
      const end = group.offsets[packet + 1] ?? 0;
      const sequence = this.#sequence;
      this.#sequence = (sequence + 1) & 0xffff;
      if (dropEvery > 0) {
        this.#untilDrop += 1;
        if (this.#untilDrop >= dropEvery) {
          this.#untilDrop = 0;
          counters.dropped += 1;
          continue;
        }
        group.buffer.copy(scratch, at, start, end);
      }
      const timestamp = (base + (group.ticks90k[packet] ?? 0)) % TIMESTAMP_RANGE;
      const header = at + PREFIX_BYTES;
      scratch[at + 1] = channel;
      scratch[header + 2] = sequence >>> 8;
      scratch[header + 3] = sequence;
      scratch.writeUInt32BE(timestamp, header + 4);
      scratch.writeUInt32BE(this.ssrc, header + 8);
      at += end - start;
      this.#sentPackets += 1;
      this.#sentBytes += end - start - PACKET_HEADER_BYTES;
      counters.packets += 1;
    }
    counters.bytes += at;
    return at;
  }

  #report(nowMs: number): void {
    const { epochMs, stream, channel, port } = this.#options;
    this.#nextReportMs = nowMs + REPORT_EVERY_MS;
    const elapsed = this.#ticksAt(nowMs) - this.#originTicks;
    const timestamp = this.#timestampBase + elapsed + TIMESTAMP_RANGE;
    port.send(
      senderReport({
        channel: channel + 1,
        ssrc: this.ssrc,
        unixMs: epochMs + nowMs + (stream.faults.clockOffsetMs ?? 0),
        timestamp: timestamp % TIMESTAMP_RANGE,
        packets: this.#sentPackets,
        bytes: this.#sentBytes,
      }),
    );
  }
}

/** The largest end at or below `last` that leaves a frame unfinished; else `last`. */
function endInsideFrame(group: PacketGroup, first: number, last: number): number {
  for (let end = last; end > first; end--) {
    if (end < group.count && group.startsFrame[end] === 0) return end;
  }
  return last;
}
