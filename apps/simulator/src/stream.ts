// A simulated camera's stream: footage under a path, who plays it, and the faults it has been given.

import type { Clip } from './clip.js';
import { packetizeGroup, type PacketGroup, type Pacing } from './rtp-packets.js';

/** Footage laid out as packets once, shared by all the streams that show it. */
export class Footage {
  readonly name: string;
  readonly #load: () => Promise<Clip>;
  readonly #pacing: Pacing;
  readonly #packets: PacketGroup[] = [];
  #clip: Promise<Clip> | undefined;

  /** `load` gives a clip that has its first group; it is called once, when somebody asks. */
  constructor(name: string, load: () => Promise<Clip>, pacing: Pacing) {
    this.name = name;
    this.#load = load;
    this.#pacing = pacing;
  }

  /** Rejects when the footage cannot be had; the next call tries again. */
  clip(): Promise<Clip> {
    this.#clip ??= this.#load().catch((error: unknown) => {
      this.#clip = undefined;
      throw error;
    });
    return this.#clip;
  }

  packetsOf(clip: Clip, index: number): PacketGroup | undefined {
    const group = clip.groups[index];
    if (group === undefined) return undefined;
    return (this.#packets[index] ??= packetizeGroup(clip.description.codec, group, this.#pacing));
  }
}

export type SessionEnd =
  'teardown' | 'client-closed' | 'slow-client' | 'session-timeout' | 'camera-down' | 'fault';

/** A client that plays, as its stream sees it. */
export interface Viewer {
  close(reason: SessionEnd): void;
  sendRaw(bytes: Uint8Array): void;
  closeMidFrame(): void;
  jumpTimestamps(): void;
}

/** What a stream does wrong, for all its sessions; a session may be given its own by its URL. */
export interface Faults {
  /** Connected, but nothing comes. */
  readonly stalled?: boolean;
  /** Every n-th packet is left out. */
  readonly dropEvery?: number;
  /** The camera's wall clock, as its sender reports tell it, is wrong by this much. */
  readonly clockOffsetMs?: number;
}

export class SimulatedStream {
  readonly path: string;
  readonly footage: Footage;
  /** How far this stream's loop is ahead of the footage's, so that copies do not march in step. */
  readonly aheadTicks90k: number;
  readonly sessions = new Set<Viewer>();
  readonly #faults: { -readonly [K in keyof Faults]: Faults[K] } = {};
  #down = false;

  constructor(path: string, footage: Footage, aheadTicks90k: number) {
    this.path = path;
    this.footage = footage;
    this.aheadTicks90k = aheadTicks90k;
  }

  get faults(): Faults {
    return this.#faults;
  }

  /** False after `stop`: connections that name this stream are closed without an answer. */
  get up(): boolean {
    return !this.#down;
  }

  /** The camera is gone: its sessions end at once. */
  stop(): void {
    this.#down = true;
    for (const session of [...this.sessions]) session.close('camera-down');
  }

  start(): void {
    this.#down = false;
  }

  stall(): void {
    this.#faults.stalled = true;
  }

  resume(): void {
    this.#faults.stalled = false;
  }

  /** 0 for none. */
  dropEveryPacket(every: number): void {
    this.#faults.dropEvery = every;
  }

  setClockOffset(offsetMs: number): void {
    this.#faults.clockOffsetMs = offsetMs;
  }

  /** Sends bytes that are neither RTP nor RTSP into every session. */
  sendGarbage(bytes: Uint8Array = Buffer.alloc(64, 0xee)): void {
    for (const session of this.sessions) session.sendRaw(bytes);
  }

  /** Ends every session in the middle of its next frame of more than one packet. */
  closeMidFrame(): void {
    for (const session of this.sessions) session.closeMidFrame();
  }

  /** RTP timestamps go on from a random other value, as when a camera restarts its clock. */
  jumpTimestamps(): void {
    for (const session of this.sessions) session.jumpTimestamps();
  }
}
