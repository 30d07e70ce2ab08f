// The initialisation of a fragmented MP4 (ISO/IEC 14496-12): ftyp and moov, no samples.
//
//   ftyp  moov ( mvhd  trak ( tkhd [edts] mdia ( mdhd hdlr minf ( vmhd|smhd dinf stbl ) ) )+  mvex )

import type { AudioFormat } from './audio-format.js';
import { audioSampleEntry, type G711Form } from './audio-sample-entry.js';
import { decoderConfig } from './decoder-config.js';
import { ascii, box, fullBox, u16, u32, zeros } from './fmp4-box.js';
import type { VideoFormat } from './frame.js';

/** One timescale everywhere: the clock of RTP video. */
export const FMP4_TIMESCALE = 90_000;
/** The picture's track. */
export const FMP4_TRACK_ID = 1;
/** The sound's, where there is some. */
export const FMP4_AUDIO_TRACK_ID = 2;

const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** Seconds between 1904-01-01 and 1970-01-01. */
const MP4_EPOCH_SECONDS = 2_082_844_800;

export interface Fmp4InitOptions {
  /** One sample entry each; a fragment names its entry by its place here, from 1. */
  readonly formats: readonly VideoFormat[];
  /** A second track, of sound; as many sample entries. */
  readonly audio?: readonly AudioFormat[];
  /** The frames that follow are laid into the file in the same form; default: as recorded. */
  readonly g711?: G711Form;
  /** When the picture of time zero was taken; goes into the creation times. */
  readonly startUnixUs?: number;
  /** The whole duration, where it is known ahead (`mehd`). */
  readonly duration90k?: number;
  /** Presentation begins at this media time (`elst`); what precedes it is decoded, not shown. */
  readonly startAt90k?: number;
}

/** The bytes of `ftyp` and `moov`. Throws `invalid-argument` for a format without parameter sets. */
export function writeFmp4Init(options: Fmp4InitOptions): Buffer {
  const { formats, audio = [], startUnixUs } = options;
  const created =
    startUnixUs === undefined ? 0 : Math.floor(startUnixUs / 1_000_000) + MP4_EPOCH_SECONDS;
  const width = Math.max(...formats.map((format) => format.width));
  const height = Math.max(...formats.map((format) => format.height));
  const ftyp = box('ftyp', ascii('iso6'), u32(1), ascii('iso6'), ascii('mp41'), ascii('dash'));
  const mvhd = fullBox(
    'mvhd',
    {},
    u32(created, created, FMP4_TIMESCALE, 0, 0x10000),
    u16(0x100, 0),
    zeros(8),
    UNITY_MATRIX,
    zeros(24),
    u32(FMP4_AUDIO_TRACK_ID + 1),
  );
  const picture = track({
    id: FMP4_TRACK_ID,
    created,
    handler: 'vide',
    sizes: u32(width * 65_536, height * 65_536),
    edits: editList(options),
    mediaHeader: fullBox('vmhd', { flags: 1 }, zeros(8)),
    entries: formats.map(sampleEntry),
  });
  const sound = {
    id: FMP4_AUDIO_TRACK_ID,
    created,
    handler: 'soun',
    sizes: u32(0, 0),
    edits: editList(options),
    mediaHeader: fullBox('smhd', {}, zeros(4)),
    entries: audio.map((format) => audioSampleEntry(format, options.g711)),
  };
  const traks = audio.length === 0 ? [picture] : [picture, track(sound)];
  const trexes = traks.map((_, index) => fullBox('trex', {}, u32(index + 1, 1, 0, 0, 0)));
  return Buffer.concat([
    ftyp,
    box('moov', mvhd, ...traks, box('mvex', ...mehd(options), ...trexes)),
  ]);
}

function track(options: {
  readonly id: number;
  readonly created: number;
  readonly handler: string;
  readonly sizes: Buffer;
  readonly edits: readonly Buffer[];
  readonly mediaHeader: Buffer;
  readonly entries: readonly Buffer[];
}): Buffer {
  const { id, created, handler, sizes, edits, mediaHeader, entries } = options;
  // Volume: full for sound, none for a picture (ISO/IEC 14496-12, 8.3.2).
  const layout = Buffer.concat([zeros(8), u16(0, 0, handler === 'soun' ? 0x100 : 0, 0)]);
  const tkhd = fullBox(
    'tkhd',
    { flags: 3 },
    u32(created, created, id, 0, 0),
    layout,
    UNITY_MATRIX,
    sizes,
  );
  const mdhd = fullBox('mdhd', {}, u32(created, created, FMP4_TIMESCALE, 0), u16(0x55c4, 0));
  const hdlr = fullBox('hdlr', {}, u32(0), ascii(handler), zeros(12), ascii('Nightjar\0'));
  const dref = fullBox('dref', {}, u32(1), fullBox('url ', { flags: 1 }));
  const stbl = box(
    'stbl',
    fullBox('stsd', {}, u32(entries.length), ...entries),
    fullBox('stts', {}, u32(0)),
    fullBox('stsc', {}, u32(0)),
    fullBox('stsz', {}, u32(0, 0)),
    fullBox('stco', {}, u32(0)),
  );
  const minf = box('minf', mediaHeader, box('dinf', dref), stbl);
  return box('trak', tkhd, ...edits, box('mdia', mdhd, hdlr, minf));
}

function editList({ startAt90k }: Fmp4InitOptions): Buffer[] {
  if (startAt90k === undefined) return [];
  return [box('edts', fullBox('elst', {}, u32(1, 0, startAt90k), u16(1, 0)))];
}

function mehd({ duration90k }: Fmp4InitOptions): Buffer[] {
  if (duration90k === undefined) return [];
  const high = Math.floor(duration90k / 2 ** 32);
  return [fullBox('mehd', { version: 1 }, u32(high, duration90k % 2 ** 32))];
}

function sampleEntry(format: VideoFormat): Buffer {
  return box(
    format.codec === 'h264' ? 'avc1' : 'hvc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(format.width, format.height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    zeros(32),
    u16(24, 0xffff),
    decoderConfig(format),
  );
}
