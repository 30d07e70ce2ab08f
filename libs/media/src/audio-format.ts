// What a track of sound carries: its codec, how long its frames last, and how AAC describes itself.

import { PlainBits } from './plain-bits.js';

export type AudioCodec = 'aac' | 'pcmu' | 'pcma' | 'opus';

/** Everything a decoder must know before the first frame. Told apart from video by its codec. */
export interface AudioFormat {
  readonly codec: AudioCodec;
  /** Samples a second as they are heard; 48 000 for Opus, whatever was recorded. */
  readonly sampleRate: number;
  readonly channels: number;
  /** AAC: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). Empty for the others. */
  readonly config: Uint8Array;
  /** RFC 6381: `mp4a.40.2`, `opus`; `ulaw` and `alaw` as QuickTime names them. */
  readonly codecString: string;
}

export interface AudioMoment {
  /** On the camera's clock of this track, unwrapped. */
  pts90k: number;
  receivedAtUnixUs: number;
}

/**
 * Where a depacketizer puts sound: whole frames (an AAC access unit, an Opus packet, the G.711 of a
 * packet), each of which can be decoded by itself. The bytes are copied before it returns.
 */
export interface AudioSink {
  /** `at` is valid during the call only. */
  frame(source: Uint8Array, start: number, end: number, at: AudioMoment): void;
  /** Sender reports came: added to a time of this track it gives the time on the picture's clock. */
  align(videoMinusAudio90k: number): void;
}

export const AUDIO_CODECS: readonly AudioCodec[] = ['aac', 'pcmu', 'pcma', 'opus'];
const TICKS = 90_000;
/** ISO/IEC 14496-3, table 1.18. */
export const AAC_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];
const AAC_CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8];
const SBR = 5;
const PARAMETRIC_STEREO = 29;

export interface AacFacts {
  /** Of the core coder: 2 is AAC-LC. */
  readonly objectType: number;
  readonly rateIndex: number;
  readonly channelConfig: number;
  /** Of the core coder; SBR doubles it. */
  readonly coreRate: number;
  readonly samplesPerFrame: number;
}

export function isAudioCodec(codec: string): codec is AudioCodec {
  return (AUDIO_CODECS as readonly string[]).includes(codec);
}

export function isG711({ codec }: Pick<AudioFormat, 'codec'>): boolean {
  return codec === 'pcmu' || codec === 'pcma';
}

/** G.711 or Opus. */
export function plainAudioFormat(
  codec: Exclude<AudioCodec, 'aac'>,
  sampleRate: number,
  channels: number,
): AudioFormat {
  const codecString = { pcmu: 'ulaw', pcma: 'alaw', opus: 'opus' }[codec];
  return { codec, sampleRate, channels, config: new Uint8Array(0), codecString };
}

/** Undefined for a config that no ADTS header can repeat: other object types, unlisted rates. */
export function aacFormat(config: Uint8Array): AudioFormat | undefined {
  const parsed = parseAacConfig(config);
  if (parsed === undefined) return undefined;
  const { facts, outerType, outerRate } = parsed;
  return {
    codec: 'aac',
    sampleRate: outerRate,
    channels: outerType === PARAMETRIC_STEREO ? 2 : (AAC_CHANNELS[facts.channelConfig] ?? 0),
    config: Uint8Array.from(config),
    codecString: `mp4a.40.${outerType}`,
  };
}

/** Undefined as for `aacFormat`. */
export function aacFacts(config: Uint8Array): AacFacts | undefined {
  return parseAacConfig(config)?.facts;
}

/** Bits that an AudioSpecificConfig takes up to its `GASpecificConfig`, and what they say. */
function parseAacConfig(config: Uint8Array) {
  if (config.length < 2 || config.length > 64) return undefined;
  const bits = new PlainBits(config);
  let objectType = objectTypeOf(bits);
  const outerType = objectType;
  const coreRate = rateOf(bits);
  const channelConfig = bits.bits(4);
  let outerRate = coreRate;
  if (objectType === SBR || objectType === PARAMETRIC_STEREO) {
    outerRate = rateOf(bits);
    objectType = objectTypeOf(bits);
  }
  const rateIndex = AAC_RATES.indexOf(coreRate);
  const channels = AAC_CHANNELS[channelConfig] ?? 0;
  if (objectType < 1 || objectType > 4 || rateIndex < 0 || channels === 0) return undefined;
  if (outerRate < 7350 || outerRate > 96_000) return undefined;
  const samplesPerFrame = bits.bits(1) === 1 ? 960 : 1024;
  if (!bits.isWhole) return undefined;
  return {
    outerType,
    outerRate,
    facts: { objectType, rateIndex, channelConfig, coreRate, samplesPerFrame },
  };
}

function objectTypeOf(bits: PlainBits): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

function rateOf(bits: PlainBits): number {
  const index = bits.bits(4);
  return index === 15 ? bits.bits(24) : (AAC_RATES[index] ?? 0);
}

/** How long frames of a format last; exact, so not always a whole number of 90 kHz ticks. */
export class AudioFrameClock {
  readonly #format: AudioFormat;
  readonly #aacTicks: number;

  constructor(format: AudioFormat) {
    this.#format = format;
    const facts = format.codec === 'aac' ? aacFacts(format.config) : undefined;
    this.#aacTicks = facts === undefined ? 0 : (facts.samplesPerFrame * TICKS) / facts.coreRate;
  }

  /** Ticks of the frame in `bytes`; 0 for one that is none. */
  ticks(bytes: Uint8Array, start: number, end: number): number {
    const { codec, sampleRate, channels } = this.#format;
    if (codec === 'aac') return this.#aacTicks;
    if (codec === 'opus') return opusTicks(bytes, start, end);
    return ((end - start) * TICKS) / (sampleRate * channels);
  }
}

/** RFC 6716, 3.1: the first byte says how long each frame of the packet is, and how many there are. */
function opusTicks(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0;
  const toc = bytes[start] ?? 0;
  const config = toc >> 3;
  const step = config & 3;
  const halfMs =
    config < 12 ? ([20, 40, 80, 120][step] ?? 20) : config < 16 ? 20 << (step & 1) : 5 << step;
  const code = toc & 3;
  const count = code === 0 ? 1 : code < 3 ? 2 : (bytes[start + 1] ?? 0) & 63;
  // No packet is longer than 120 ms.
  return Math.min(count * halfMs, 240) * 45;
}
