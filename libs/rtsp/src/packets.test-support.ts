// What tests of this room share: NAL units, their RTP packets, and a sink that remembers.

import type { AudioMoment, AudioSink, FrameSink, VideoCodec } from '#media';

/** Deterministic, so that a failure can be repeated. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** x264, 640x360 Constrained Baseline. */
export const H264_SPS = Buffer.from('6742c01ed900a02ff970110000030001000003003c0f162e48', 'hex');
export const H264_PPS = Buffer.from('68cb83cb20', 'hex');
/** x264, 1920x1080 High; its PPS fits the other SPS too, both have id 0. */
export const H264_LARGE_SPS = Buffer.from(
  '67640028acd940780227e5c044000003000400000300c83c60c658',
  'hex',
);
/** x265, 640x360 Main 10. */
export const H265_VPS = Buffer.from('40010c01ffff02200000030090000003000003003f928090', 'hex');
export const H265_SPS = Buffer.from(
  '420101022000000300900000030000' + '03003fa00502016936592a4932bc05a020000003002000000301810',
  'hex',
);
export const H265_PPS = Buffer.from('4401c172b46240', 'hex');

/** A slice that no decoder would take, but whose header says what it must; PPS 0. */
export function slice(codec: VideoCodec, key: boolean, sizeBytes: number, seed: number): Buffer {
  const random = seeded(seed);
  const unit = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) unit[at] = random(256);
  if (codec === 'h264') {
    unit[0] = key ? 0x65 : 0x41;
    // first_mb 0, slice type 7 (I) or 5 (P), PPS 0.
    unit[1] = key ? 0x88 : 0x9a;
  } else {
    unit[0] = key ? 0x26 : 0x02;
    unit[1] = 0x01;
    // First segment; for IRAP no_output_of_prior_pics 0; PPS 0.
    unit[2] = key ? 0xaf : 0xd0;
  }
  return unit;
}

export interface RtpOptions {
  readonly codec?: VideoCodec;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly ssrc?: number;
  readonly payloadType?: number;
  /** Longer units are sent in fragments. */
  readonly maxPayload?: number;
  /** Short units are sent together. */
  readonly aggregate?: boolean;
  readonly marker?: boolean;
}

export function rtpPacket(payload: Uint8Array, options: RtpOptions & { last?: boolean }): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (options.payloadType ?? 96) | (options.last === true ? 0x80 : 0);
  header.writeUInt16BE((options.sequence ?? 0) & 0xffff, 2);
  header.writeUInt32BE((options.timestamp ?? 0) >>> 0, 4);
  header.writeUInt32BE(options.ssrc ?? 0x1234, 8);
  return Buffer.concat([header, payload]);
}

/** One access unit as RTP packets (RFC 6184, RFC 7798). */
export function packetize(units: readonly Uint8Array[], options: RtpOptions = {}): Buffer[] {
  const { codec = 'h264', sequence = 0, maxPayload = 1000, marker = true } = options;
  const headerBytes = codec === 'h264' ? 1 : 2;
  const payloads: Buffer[] = [];
  let small: Uint8Array[] = [];
  const flush = () => {
    if (small.length === 1) payloads.push(Buffer.from(small[0] ?? []));
    if (small.length > 1) {
      const head = codec === 'h264' ? [0x78] : [0x60, 0x01];
      const parts = small.flatMap((unit) => [
        Buffer.from([unit.length >> 8, unit.length & 255]),
        unit,
      ]);
      payloads.push(Buffer.concat([Buffer.from(head), ...parts]));
    }
    small = [];
  };
  for (const unit of units) {
    if (unit.length <= maxPayload) {
      small.push(unit);
      if (options.aggregate !== true || small.reduce((sum, { length }) => sum + length, 0) > 800) {
        flush();
      }
      continue;
    }
    flush();
    const first = unit[0] ?? 0;
    const type = codec === 'h264' ? first & 31 : (first >> 1) & 63;
    for (let at = headerBytes; at < unit.length; at += maxPayload) {
      const end = Math.min(unit.length, at + maxPayload);
      const flags = (at === headerBytes ? 0x80 : 0) | (end === unit.length ? 0x40 : 0) | type;
      const head =
        codec === 'h264'
          ? [(first & 0xe0) | 28, flags]
          : [(first & 0x81) | (49 << 1), unit[1] ?? 0, flags];
      payloads.push(Buffer.concat([Buffer.from(head), unit.subarray(at, end)]));
    }
  }
  flush();
  return payloads.map((payload, index) =>
    rtpPacket(payload, {
      ...options,
      sequence: sequence + index,
      last: marker && index === payloads.length - 1,
    }),
  );
}

export interface SeenFrame {
  readonly pts90k: number;
  readonly units: readonly string[];
}

/** Checks the order of calls, and keeps frames as hexadecimal NAL units. */
export class RecordingSink implements FrameSink {
  readonly frames: SeenFrame[] = [];
  readonly dropped: string[] = [];
  /** Frames and drops in order. */
  readonly log: string[] = [];
  #units: Buffer[][] = [];

  beginNal(firstByte: number): void {
    this.#units.push([Buffer.from([firstByte])]);
  }

  appendNal(source: Uint8Array, start: number, end: number): void {
    if (start < 0 || end < start || end > source.length)
      throw new Error('a range outside its bytes');
    const open = this.#units.at(-1);
    if (open === undefined) throw new Error('bytes without a NAL unit');
    open.push(Buffer.from(source.subarray(start, end)));
  }

  endFrame(pts90k: number): void {
    if (this.#units.length === 0) throw new Error('a frame without a NAL unit');
    if (!Number.isSafeInteger(pts90k)) throw new Error(`a time that is none: ${pts90k}`);
    const units = this.#units.map((parts) => Buffer.concat(parts).toString('hex'));
    this.frames.push({ pts90k, units });
    this.log.push(`frame ${units.length}`);
    this.#units = [];
  }

  dropFrame(reason: string): void {
    this.dropped.push(reason);
    this.log.push(reason);
    this.#units = [];
  }
}

/** Keeps the frames of sound. */
export class RecordingAudio implements AudioSink {
  readonly frames: { readonly pts90k: number; readonly bytes: Buffer }[] = [];
  readonly offsets: number[] = [];

  frame(source: Uint8Array, start: number, end: number, { pts90k }: AudioMoment): void {
    if (start < 0 || end <= start || end > source.length) throw new Error('no range of its bytes');
    this.frames.push({ pts90k, bytes: Buffer.from(source.subarray(start, end)) });
  }

  align(offset90k: number): void {
    this.offsets.push(offset90k);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.frames.map(({ bytes }) => bytes));
  }
}

export function hex(...units: readonly Uint8Array[]): string[] {
  return units.map((unit) => Buffer.from(unit).toString('hex'));
}
