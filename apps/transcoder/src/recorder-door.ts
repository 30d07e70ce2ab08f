// What the transcoder asks of recorders: sources of renditions, stills and clips.

import { InternalClient, NightjarError } from '#base';

const DEADLINE_MS = 15_000;
/** A slice is some seconds of video: nothing honest comes near this. */
const LARGEST_ANSWER_BYTES = 256 * 1024 * 1024;

/** The name of the header that says when the picture of a still was taken, in Unix microseconds. */
export const FRAME_TIME_HEADER = 'nightjar-frame-time';
const GAPS_HEADER = 'nightjar-gaps';

export interface CameraAddress {
  /** Base URL of the recorder's internal door. */
  readonly recorder: string;
  readonly camera: string;
}

export interface Clip {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What is missing in the period. */
  readonly gaps: readonly ClipGap[];
}

export interface ClipGap {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export class RecorderDoor {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** `query` names the slice, as a playlist did. Throws what the recorder throws. */
  slice(address: CameraAddress, query: string, signal: AbortSignal): Promise<Buffer> {
    return this.#whole(address, `slice.m4s?${query}`, signal);
  }

  /** The initialisation of the slice or initialisation that `query` names. */
  init(address: CameraAddress, query: string, signal: AbortSignal): Promise<Buffer> {
    return this.#whole(address, `init.mp4?${query}`, signal);
  }

  /** From the key frame up to the picture at that time. Throws `not-found` without footage. */
  async still(
    address: CameraAddress,
    atUnixMs: number,
    signal: AbortSignal,
  ): Promise<{ source: Buffer; frameTime?: string }> {
    const response = await this.#open(address, `still?at=${atUnixMs}`, signal);
    const frameTime = response.headers.get(FRAME_TIME_HEADER);
    return {
      source: await bodyOf(response, signal),
      ...(frameTime === null ? {} : { frameTime }),
    };
  }

  /** One MP4 of a period, to be read once. Throws `not-found` when there is no footage in it. */
  async clip(
    address: CameraAddress,
    period: {
      readonly fromUnixMs: number;
      readonly toUnixMs: number;
      readonly rendition?: string;
    },
    signal: AbortSignal,
  ): Promise<Clip> {
    // Renditions are pictures: what is made of them has no place for sound yet.
    const silent = (period.rendition ?? 'source') === 'source' ? '' : '&sound=none';
    const path = `clip.mp4?from=${period.fromUnixMs}&to=${period.toUnixMs}${silent}`;
    const response = await this.#open(address, path, signal);
    const gaps = readGaps(response.headers.get(GAPS_HEADER) ?? '');
    return { bytes: chunksOf(response, signal), gaps };
  }

  async #whole(address: CameraAddress, path: string, signal: AbortSignal): Promise<Buffer> {
    return bodyOf(await this.#open(address, path, signal), signal);
  }

  #open(address: CameraAddress, path: string, signal: AbortSignal): Promise<Response> {
    const client = new InternalClient(address.recorder, this.#secret);
    const camera = encodeURIComponent(address.camera);
    return client.fetch(`/internal/cameras/${camera}/${path}`, {
      signal,
      deadlineMs: DEADLINE_MS,
    });
  }
}

/** `from/to;reason, from/to;reason` */
function readGaps(header: string): ClipGap[] {
  return [...header.matchAll(/([^\s/,;]+)\/([^\s/,;]+);([^\s,;]+)/g)].map(
    ([, from = '', to = '', reason = '']) => ({ from, to, reason }),
  );
}

async function bodyOf(response: Response, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunksOf(response, signal)) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > LARGEST_ANSWER_BYTES) {
      throw new NightjarError('resource-exhausted', 'a recorder sent more than a slice can be');
    }
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** Throws `unavailable` when the recorder breaks off, `cancelled` when the caller left. */
async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    yield* response.body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (signal.aborted) {
      throw new NightjarError('cancelled', 'nobody waits for this any more', {}, error);
    }
    throw new NightjarError('unavailable', 'the recorder broke off', {}, error);
  }
}
