// Which sound of a session description can be recorded, and in whose words the rest cannot.

import { aacFormat, plainAudioFormat, type AudioFormat } from '#media';
import { parseLatmConfig, type LatmConfig } from './latm-config.js';
import { printable } from './message.js';
import type { Sdp, SdpCoding, SdpMedia } from './sdp.js';

export interface AudioChoice {
  readonly format: AudioFormat;
  readonly media: SdpMedia;
  readonly coding: SdpCoding;
  /** How frames lie in packets. */
  readonly packing:
    | { readonly kind: 'whole' }
    | { readonly kind: 'aac'; readonly layout: AacLayout }
    | { readonly kind: 'latm'; readonly config: LatmConfig };
}

/** Widths in bits of an AU header's fields (RFC 3640, 3.2.1 and 4.1). */
export interface AacLayout {
  readonly sizeBits: number;
  readonly indexBits: number;
  readonly indexDeltaBits: number;
  readonly ctsBits: number;
  readonly dtsBits: number;
  readonly randomAccess: boolean;
  readonly streamStateBits: number;
  readonly auxiliaryBits: number;
  /** Of every access unit, where headers do not say. */
  readonly constantBytes: number;
}

const KNOWN = 'Nightjar records AAC, G.711 and Opus';

/** The first sound that can be recorded, or why none of what is there can; undefined without sound. */
export function chooseAudio(sdp: Sdp): AudioChoice | { readonly fault: string } | undefined {
  const sounds = sdp.media.filter(({ kind }) => kind === 'audio');
  if (sounds.length === 0) return undefined;
  const faults: string[] = [];
  for (const media of sounds) {
    for (const coding of media.codings) {
      const choice = choiceOf(media, coding);
      if (typeof choice !== 'string') return choice;
      faults.push(choice);
    }
  }
  return { fault: faults[0] ?? `the camera does not say how its sound is coded; ${KNOWN}` };
}

function choiceOf(media: SdpMedia, coding: SdpCoding): AudioChoice | string {
  const { name, clockRate, channels = 1 } = coding;
  const packing = { kind: 'whole' } as const;
  switch (name.toUpperCase()) {
    case 'PCMU':
    case 'PCMA': {
      const codec = name.toUpperCase() === 'PCMU' ? 'pcmu' : 'pcma';
      if (clockRate < 4000 || clockRate > 96_000 || channels < 1 || channels > 8) {
        return `the camera sends ${name} with ${clockRate} Hz and ${channels} channels`;
      }
      return { format: plainAudioFormat(codec, clockRate, channels), media, coding, packing };
    }
    case 'OPUS': {
      // RFC 7587, 7: always opus/48000/2; whether it is stereo stands elsewhere.
      const stereo = coding.parameters.get('sprop-stereo') === '1' || channels === 2;
      return {
        format: plainAudioFormat('opus', 48_000, stereo ? 2 : 1),
        media,
        coding: { ...coding, clockRate: 48_000 },
        packing,
      };
    }
    case 'MPEG4-GENERIC':
      return aacChoice(media, coding);
    case 'MP4A-LATM':
      return latmChoice(media, coding);
    default:
      return `the camera's sound is ${printable(name).slice(0, 80)}; ${KNOWN}`;
  }
}

function aacChoice(media: SdpMedia, coding: SdpCoding): AudioChoice | string {
  const { parameters } = coding;
  const mode = parameters.get('mode') ?? 'AAC-hbr';
  const number = (name: string, otherwise = 0) => {
    const value = Number(parameters.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= 0 && value <= 32 ? value : otherwise;
  };
  if (!/^(aac-hbr|aac-lbr|generic)$/i.test(mode)) {
    return `the camera's sound is MPEG-4 in mode ${printable(mode).slice(0, 80)}; Nightjar reads AAC-hbr and AAC-lbr`;
  }
  const low = mode.toLowerCase() === 'aac-lbr';
  const constantBytes = Number(parameters.get('constantsize') ?? 0);
  const fixed = Number.isInteger(constantBytes) && constantBytes > 0 && constantBytes < 8192;
  const layout: AacLayout = {
    sizeBits: number('sizelength', fixed ? 0 : low ? 6 : 13),
    indexBits: number('indexlength', fixed ? 0 : low ? 2 : 3),
    indexDeltaBits: number('indexdeltalength', fixed ? 0 : low ? 2 : 3),
    ctsBits: number('ctsdeltalength'),
    dtsBits: number('dtsdeltalength'),
    randomAccess: number('randomaccessindication') > 0,
    streamStateBits: number('streamstateindication'),
    auxiliaryBits: number('auxiliarydatasizelength'),
    constantBytes: fixed ? constantBytes : 0,
  };
  const config = parameters.get('config') ?? '';
  const format = /^([0-9a-f]{2}){2,64}$/i.test(config)
    ? aacFormat(Buffer.from(config, 'hex'))
    : undefined;
  if (format === undefined || (layout.sizeBits === 0 && layout.constantBytes === 0)) {
    return `the camera describes its AAC in a way that Nightjar does not read (config=${printable(config).slice(0, 80)})`;
  }
  return { format, media, coding, packing: { kind: 'aac', layout } };
}

function latmChoice(media: SdpMedia, coding: SdpCoding): AudioChoice | string {
  const text = coding.parameters.get('config') ?? '';
  const config =
    coding.parameters.get('cpresent') !== '0' || !/^([0-9a-f]{2}){3,64}$/i.test(text)
      ? undefined
      : parseLatmConfig(Buffer.from(text, 'hex'));
  const format = config === undefined ? undefined : aacFormat(config.audioConfig);
  if (config === undefined || format === undefined) {
    return 'the camera describes its AAC (MP4A-LATM) in a way that Nightjar does not read';
  }
  return { format, media, coding, packing: { kind: 'latm', config } };
}
