// Reads what a recorder delivers: one video track's initialisation, and the samples of its fragments.

import { NightjarError } from '#base';
import type { VideoCodec } from '#media';

/** The video track that an initialisation segment (`ftyp`, `moov`) describes. */
export interface SourceTrack {
  readonly trackId: number;
  /** Ticks per second of every time below. */
  readonly timescale: number;
  /** At least one; a fragment names its own by number. */
  readonly formats: readonly SourceFormat[];
  readonly defaults: SampleDefaults;
}

export interface SourceFormat {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** The payload of `avcC` or `hvcC`; a view into the initialisation. */
  readonly configuration: Uint8Array;
}

interface SampleDefaults {
  readonly format: number;
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

/** One access unit, length-prefixed; `data` is a view into the fragment. Times in track ticks. */
export interface SourceSample {
  readonly data: Uint8Array;
  /** Which of the track's formats, from 0. */
  readonly format: number;
  readonly dts: number;
  readonly pts: number;
  readonly duration: number;
  readonly key: boolean;
}

interface Box {
  readonly type: string;
  /** Where its header begins. */
  readonly at: number;
  /** Where its payload begins and ends. */
  readonly start: number;
  readonly end: number;
}

/** Throws `data-loss` when the bytes are no such initialisation, `unsupported` without H.264/H.265. */
export function readInit(init: Uint8Array): SourceTrack {
  const reader = new BoxReader(init);
  const moov = reader.need(reader.root, 'moov');
  for (const trak of reader.children(moov)) {
    if (trak.type !== 'trak') continue;
    const mdia = reader.need(trak, 'mdia');
    const handler = reader.need(mdia, 'hdlr');
    if (reader.type(handler.start + 8) === 'vide') return readTrack(reader, { moov, trak, mdia });
  }
  throw new NightjarError('unsupported', 'expected a video track, found none');
}

function readTrack(
  reader: BoxReader,
  { moov, trak, mdia }: Readonly<Record<'moov' | 'trak' | 'mdia', Box>>,
): SourceTrack {
  const tkhd = reader.need(trak, 'tkhd');
  const mdhd = reader.need(mdia, 'mdhd');
  const trackId = reader.u32(tkhd.start + (reader.u8(tkhd.start) === 1 ? 20 : 12));
  const timescale = reader.u32(mdhd.start + (reader.u8(mdhd.start) === 1 ? 20 : 12));
  const stbl = reader.need(reader.need(mdia, 'minf'), 'stbl');
  const stsd = reader.need(stbl, 'stsd');
  const formats = reader
    .children({ ...stsd, start: stsd.start + 8 })
    .map((entry) => readFormat(reader, entry));
  if (formats.length === 0 || timescale === 0) {
    throw new NightjarError('data-loss', 'expected a track with a format and a timescale', {
      formats: formats.length,
      timescale,
    });
  }
  return {
    trackId,
    timescale,
    formats,
    defaults: readDefaults(reader, moov, trackId),
  };
}

function readFormat(reader: BoxReader, entry: Box): SourceFormat {
  const codec = CODECS[entry.type];
  if (codec === undefined) {
    throw new NightjarError('unsupported', 'expected an H.264 or H.265 track', {
      found: entry.type,
    });
  }
  // A visual sample entry has 78 bytes in front of its boxes (ISO/IEC 14496-12, 12.1.3).
  const boxes = { ...entry, start: entry.start + 78 };
  const configuration = reader.need(boxes, codec === 'h264' ? 'avcC' : 'hvcC');
  return {
    codec,
    width: reader.u16(entry.start + 24),
    height: reader.u16(entry.start + 26),
    configuration: reader.bytes(configuration.start, configuration.end),
  };
}

const CODECS: Readonly<Record<string, VideoCodec>> = {
  avc1: 'h264',
  avc3: 'h264',
  hvc1: 'h265',
  hev1: 'h265',
};

function readDefaults(reader: BoxReader, moov: Box, trackId: number): SampleDefaults {
  const mvex = reader.find(moov, 'mvex');
  for (const trex of mvex === undefined ? [] : reader.children(mvex)) {
    if (trex.type !== 'trex' || reader.u32(trex.start + 4) !== trackId) continue;
    return {
      format: reader.u32(trex.start + 8),
      duration: reader.u32(trex.start + 12),
      size: reader.u32(trex.start + 16),
      flags: reader.u32(trex.start + 20),
    };
  }
  return { format: 1, duration: 0, size: 0, flags: 0 };
}

/** All samples of `track` in decoding order. Throws `data-loss` when the bytes do not hold together. */
export function readSamples(fragment: Uint8Array, track: SourceTrack): SourceSample[] {
  const reader = new BoxReader(fragment);
  const samples: SourceSample[] = [];
  for (const moof of reader.children(reader.root)) {
    if (moof.type !== 'moof') continue;
    for (const traf of reader.children(moof)) {
      if (traf.type === 'traf') samples.push(...readFragment(reader, moof, traf, track));
    }
  }
  return samples;
}

const TFHD = { baseOffset: 0x1, format: 0x2, duration: 0x8, size: 0x10, flags: 0x20 };
const TRUN = {
  offset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  cts: 0x800,
};
const NON_SYNC = 0x1_0000;

function readFragment(reader: BoxReader, moof: Box, traf: Box, track: SourceTrack): SourceSample[] {
  const samples: SourceSample[] = [];
  const tfhd = reader.need(traf, 'tfhd');
  if (reader.u32(tfhd.start + 4) !== track.trackId) return samples;
  const present = reader.u32(tfhd.start) & 0xff_ffff;
  let at = tfhd.start + 8;
  let base = moof.at;
  let { format, duration, size, flags } = track.defaults;
  if (present & TFHD.baseOffset) {
    base = reader.u64(at);
    at += 8;
  }
  if (present & TFHD.format) {
    format = reader.u32(at);
    at += 4;
  }
  if (present & TFHD.duration) {
    duration = reader.u32(at);
    at += 4;
  }
  if (present & TFHD.size) {
    size = reader.u32(at);
    at += 4;
  }
  if (present & TFHD.flags) flags = reader.u32(at);

  if (track.formats[format - 1] === undefined) {
    throw new NightjarError('data-loss', 'a fragment names a format that its track does not have', {
      format,
      formats: track.formats.length,
    });
  }

  const tfdt = reader.need(traf, 'tfdt');
  let dts = reader.u8(tfdt.start) === 1 ? reader.u64(tfdt.start + 4) : reader.u32(tfdt.start + 4);
  let dataAt = base;
  for (const trun of reader.children(traf)) {
    if (trun.type !== 'trun') continue;
    const has = reader.u32(trun.start) & 0xff_ffff;
    const count = reader.u32(trun.start + 4);
    if (count > reader.root.end) {
      throw new NightjarError('data-loss', 'a fragment lists more samples than it has bytes', {
        count,
      });
    }
    at = trun.start + 8;
    if (has & TRUN.offset) {
      dataAt = base + reader.i32(at);
      at += 4;
    }
    let firstFlags: number | undefined;
    if (has & TRUN.firstFlags) {
      firstFlags = reader.u32(at);
      at += 4;
    }
    for (let index = 0; index < count; index++) {
      let sampleDuration = duration;
      let sampleSize = size;
      let sampleFlags = index === 0 && firstFlags !== undefined ? firstFlags : flags;
      let cts = 0;
      if (has & TRUN.duration) {
        sampleDuration = reader.u32(at);
        at += 4;
      }
      if (has & TRUN.size) {
        sampleSize = reader.u32(at);
        at += 4;
      }
      if (has & TRUN.flags) {
        sampleFlags = reader.u32(at);
        at += 4;
      }
      if (has & TRUN.cts) {
        // Version 0 means unsigned; real offsets are small, so both read the same as signed.
        cts = reader.i32(at);
        at += 4;
      }
      samples.push({
        data: reader.bytes(dataAt, dataAt + sampleSize),
        format: format - 1,
        dts,
        pts: dts + cts,
        duration: sampleDuration,
        key: (sampleFlags & NON_SYNC) === 0,
      });
      dataAt += sampleSize;
      dts += sampleDuration;
    }
  }
  return samples;
}

/** Reads boxes and numbers, and refuses to read past the end. */
class BoxReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get root(): Box {
    return { type: '', at: 0, start: 0, end: this.#bytes.byteLength };
  }

  children(parent: Box): Box[] {
    const boxes: Box[] = [];
    let at = parent.start;
    while (at + 8 <= parent.end) {
      let sizeBytes = this.u32(at);
      let headerBytes = 8;
      if (sizeBytes === 1) {
        sizeBytes = this.u64(at + 8);
        headerBytes = 16;
      } else if (sizeBytes === 0) {
        sizeBytes = parent.end - at;
      }
      if (sizeBytes < headerBytes || at + sizeBytes > parent.end) {
        throw new NightjarError('data-loss', 'a box of an fMP4 reaches past its parent', {
          box: this.type(at + 4),
          at,
          sizeBytes,
        });
      }
      boxes.push({ type: this.type(at + 4), at, start: at + headerBytes, end: at + sizeBytes });
      at += sizeBytes;
    }
    return boxes;
  }

  find(parent: Box, type: string): Box | undefined {
    return this.children(parent).find((box) => box.type === type);
  }

  need(parent: Box, type: string): Box {
    const box = this.find(parent, type);
    if (box === undefined) {
      throw new NightjarError('data-loss', `expected a box '${type}' in '${parent.type}'`, {
        at: parent.at,
      });
    }
    return box;
  }

  bytes(start: number, end: number): Uint8Array {
    this.#check(start, end - start);
    return this.#bytes.subarray(start, end);
  }

  type(at: number): string {
    this.#check(at, 4);
    return String.fromCharCode(...this.#bytes.subarray(at, at + 4));
  }

  u8(at: number): number {
    this.#check(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.#check(at, 2);
    return this.#view.getUint16(at);
  }

  u32(at: number): number {
    this.#check(at, 4);
    return this.#view.getUint32(at);
  }

  i32(at: number): number {
    this.#check(at, 4);
    return this.#view.getInt32(at);
  }

  u64(at: number): number {
    this.#check(at, 8);
    return Number(this.#view.getBigUint64(at));
  }

  #check(at: number, count: number): void {
    if (at >= 0 && count >= 0 && at + count <= this.#bytes.byteLength) return;
    throw new NightjarError('data-loss', 'an fMP4 is shorter than its boxes say', {
      at,
      count,
      sizeBytes: this.#bytes.byteLength,
    });
  }
}
