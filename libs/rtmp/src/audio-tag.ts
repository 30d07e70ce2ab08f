// The head of an audio message: FLV's (Adobe's FLV specification 10.1, E.4.2) and enhanced RTMP's v2.

/** `config` describes what follows, `frame` is one frame; both without the head. */
export interface AudioTag {
  readonly kind: 'config' | 'frame' | 'nothing';
  readonly coding: AudioCoding | undefined;
  /** For people. */
  readonly name: string;
  readonly at: number;
  /** As FLV says it; for AAC and Opus their own description counts. */
  readonly channels: number;
}

export type AudioCoding = 'aac' | 'opus' | 'pcma' | 'pcmu';

interface Known {
  readonly name: string;
  readonly coding?: AudioCoding;
}

const LEGACY: Readonly<Record<number, Known>> = {
  2: { name: 'MP3' },
  3: { name: 'PCM' },
  7: { name: 'PCMA', coding: 'pcma' },
  8: { name: 'PCMU', coding: 'pcmu' },
  10: { name: 'AAC', coding: 'aac' },
  11: { name: 'Speex' },
};
const ENHANCED: Readonly<Record<string, Known>> = {
  mp4a: { name: 'AAC', coding: 'aac' },
  Opus: { name: 'Opus', coding: 'opus' },
};
const FOURCC_FOLLOWS = 9;
const AAC = 10;

/** Undefined for what is cut short or cannot be read. */
export function readAudioTag(bytes: Uint8Array, start: number, end: number): AudioTag | undefined {
  const first = bytes[start] ?? 0;
  if (end <= start) return undefined;
  const channels = (first & 1) + 1;
  const format = first >> 4;
  if (format !== FOURCC_FOLLOWS) {
    const { name, coding } = LEGACY[format] ?? { name: `codec ${format}` };
    if (format !== AAC) return { kind: 'frame', coding, name, at: start + 1, channels };
    if (end < start + 2) return undefined;
    return {
      kind: bytes[start + 1] === 0 ? 'config' : 'frame',
      coding,
      name,
      at: start + 2,
      channels,
    };
  }
  if (end < start + 5) return undefined;
  const fourCc = String.fromCharCode(...bytes.subarray(start + 1, start + 5));
  const { name, coding } = ENHANCED[fourCc] ?? { name: fourCc.replace(/[^ -~]/g, '?') };
  const packet = first & 15;
  const kind = packet === 0 ? 'config' : packet === 1 ? 'frame' : 'nothing';
  return { kind, coding, name, at: start + 5, channels };
}
