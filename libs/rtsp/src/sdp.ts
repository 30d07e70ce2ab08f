// Session descriptions (RFC 8866) of cameras: which media there are and how each is coded.

import type { VideoCodec } from '#media';

export interface SdpCoding {
  readonly payloadType: number;
  /** The encoding name of `a=rtpmap`, as it is written. */
  readonly name: string;
  readonly clockRate: number;
  /** Of sound; 1 where nothing is said. */
  readonly channels?: number;
  /** Of `a=fmtp`, names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface SdpMedia {
  /** `video`, `audio`, `application`. */
  readonly kind: string;
  readonly control: string | undefined;
  readonly codings: readonly SdpCoding[];
}

export interface Sdp {
  readonly control: string | undefined;
  readonly media: readonly SdpMedia[];
}

const MAX_LINES = 2000;
const MAX_MEDIA = 32;
const MAX_CODINGS = 32;
const MAX_SETS = 32;
/** Payload types with a fixed meaning that a camera may use (RFC 3551, table 5). */
const STATIC_NAMES: Readonly<Record<number, readonly [name: string, clockRate: number]>> = {
  0: ['PCMU', 8000],
  8: ['PCMA', 8000],
  9: ['G722', 8000],
  14: ['MPA', 90_000],
  26: ['JPEG', 90_000],
  31: ['H261', 90_000],
  32: ['MPV', 90_000],
  33: ['MP2T', 90_000],
  34: ['H263', 90_000],
};

interface OpenMedia {
  kind: string;
  control: string | undefined;
  payloadTypes: number[];
  rtpmaps: Map<number, { name: string; clockRate: number; channels?: number }>;
  parameters: Map<number, Map<string, string>>;
}

/** Reads what can be read; lines that say nothing known are passed over. */
export function parseSdp(text: string): Sdp {
  let control: string | undefined;
  const media: OpenMedia[] = [];
  const lines = text.split(/\r\n|\n|\r/, MAX_LINES);
  for (const line of lines) {
    const open = media.at(-1);
    if (line.startsWith('m=')) {
      if (media.length >= MAX_MEDIA) break;
      const [kind = '', , , ...types] = line.slice(2).trim().split(/\s+/);
      media.push({
        kind: kind.toLowerCase(),
        control: undefined,
        payloadTypes: types.map(Number).filter(isPayloadType).slice(0, MAX_CODINGS),
        rtpmaps: new Map(),
        parameters: new Map(),
      });
    } else if (line.startsWith('a=control:')) {
      const value = line.slice('a=control:'.length).trim();
      if (open === undefined) control ??= value;
      else open.control ??= value;
    } else if (open !== undefined && line.startsWith('a=rtpmap:')) {
      const match =
        /^a=rtpmap:\s*(\d{1,3})\s+([\w.+-]+)\s*(?:\/\s*(\d{1,9}))?(?:\/\s*(\d{1,2}))?/.exec(line);
      if (match === null || open.rtpmaps.size >= MAX_CODINGS) continue;
      const clockRate = Number(match[3] ?? 0);
      open.rtpmaps.set(Number(match[1]), {
        name: match[2] ?? '',
        clockRate: clockRate > 0 ? clockRate : 90_000,
        ...(match[4] === undefined ? {} : { channels: Number(match[4]) }),
      });
    } else if (open !== undefined && line.startsWith('a=fmtp:')) {
      const match = /^a=fmtp:\s*(\d{1,3})\s+(.*)$/.exec(line);
      if (match === null || open.parameters.size >= MAX_CODINGS) continue;
      open.parameters.set(Number(match[1]), readParameters(match[2] ?? ''));
    }
  }
  return { control, media: media.map(closeMedia) };
}

export interface VideoChoice {
  readonly codec: VideoCodec;
  readonly media: SdpMedia;
  readonly coding: SdpCoding;
}

/** The first video that can be recorded. */
export function chooseVideo(sdp: Sdp): VideoChoice | undefined {
  for (const media of sdp.media) {
    if (media.kind !== 'video') continue;
    for (const coding of media.codings) {
      const codec = codecOf(coding);
      if (codec !== undefined) return { codec, media, coding };
    }
  }
  return undefined;
}

/** What the camera sends instead of a video that can be recorded, as a sentence. */
export function whyNoVideo(sdp: Sdp): string {
  const known = 'Nightjar records H.264 and H.265';
  const names = (kind: string) => [
    ...new Set(
      sdp.media
        .filter((media) => media.kind === kind)
        .flatMap(({ codings }) => codings.map(({ name }) => name)),
    ),
  ];
  const video = names('video');
  if (video.length > 0) return `the camera sends ${video.join(' and ')}; ${known}`;
  if (sdp.media.some(({ kind }) => kind === 'video')) {
    return `the camera does not say how its video is coded; ${known}`;
  }
  const audio = names('audio');
  if (audio.length > 0) return `the camera sends only sound (${audio.join(', ')}); ${known}`;
  return `the camera describes no video; ${known}`;
}

/** The parameter sets of `a=fmtp`, without start codes. */
export function parameterSetsOf(coding: SdpCoding): Uint8Array[] {
  const names = ['sprop-vps', 'sprop-sps', 'sprop-pps', 'sprop-parameter-sets'];
  return names
    .flatMap((name) => coding.parameters.get(name)?.split(',') ?? [])
    .slice(0, MAX_SETS)
    .map((text) => withoutStartCode(Buffer.from(text.trim(), 'base64')))
    .filter((set) => set.length > 1);
}

function codecOf(coding: SdpCoding): VideoCodec | undefined {
  switch (coding.name.toUpperCase()) {
    case 'H264':
      return 'h264';
    case 'H265':
    case 'HEVC':
      return 'h265';
    default:
      return undefined;
  }
}

function closeMedia(open: OpenMedia): SdpMedia {
  // Some cameras announce a payload type that no rtpmap explains, and explain another.
  const types = open.payloadTypes.some((type) => open.rtpmaps.has(type) || type in STATIC_NAMES)
    ? open.payloadTypes
    : [...open.rtpmaps.keys()].filter(isPayloadType);
  const codings = types.flatMap((payloadType): SdpCoding[] => {
    const fixed = STATIC_NAMES[payloadType];
    const map =
      open.rtpmaps.get(payloadType) ??
      (fixed === undefined ? undefined : { name: fixed[0], clockRate: fixed[1] });
    if (map === undefined) return [];
    return [{ payloadType, ...map, parameters: open.parameters.get(payloadType) ?? new Map() }];
  });
  return { kind: open.kind, control: open.control, codings };
}

function readParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.split(';', 100)) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name !== '') parameters.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return parameters;
}

function isPayloadType(type: number): boolean {
  return Number.isInteger(type) && type >= 0 && type <= 127;
}

function withoutStartCode(set: Buffer): Uint8Array {
  if (set.length > 4 && set.readUInt32BE(0) === 1) return set.subarray(4);
  if (set.length > 3 && set.readUIntBE(0, 3) === 1) return set.subarray(3);
  return set;
}
