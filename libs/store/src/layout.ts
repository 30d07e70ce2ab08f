// Names below a store directory: <camera>/<track>/<UTC date>/<UTC time>-<chunk id>.<codec>.

import { isAbsolute, join } from 'node:path';
import { isUuid, NightjarError } from '#base';
import type { TrackName, MediaCodec } from '#media';

const CHUNK_PATH =
  /^([0-9a-f-]{36})\/(main|sub|audio)\/(\d{4}-\d{2}-\d{2})\/(\d{6})-(\d{1,16})\.(h264|h265|aac|pcmu|pcma|opus)$/;

export interface ChunkName {
  readonly camera: string;
  readonly track: TrackName;
  readonly id: number;
  readonly codec: MediaCodec;
}

/** `startUnixUs` is the start of the first record; date and time in the name are for people. */
export function chunkPath(name: ChunkName, startUnixUs: number): string {
  const iso = new Date(Math.floor(startUnixUs / 1000)).toISOString();
  const time = iso.slice(11, 19).replaceAll(':', '');
  return `${name.camera}/${name.track}/${iso.slice(0, 10)}/${time}-${name.id}.${name.codec}`;
}

/** Undefined for any other path: what is not named like a chunk is not ours to touch. */
export function parseChunkPath(path: string): ChunkName | undefined {
  const [, camera, track, , , id, codec] = CHUNK_PATH.exec(path) ?? [];
  const number = Number(id);
  if (camera === undefined || !isUuid(camera) || !Number.isSafeInteger(number)) return undefined;
  return { camera, track: track as TrackName, id: number, codec: codec as MediaCodec };
}

/** The absolute path of a chunk. Throws invalid-argument for a path that leads elsewhere. */
export function absoluteChunkPath(directory: string, path: string): string {
  if (isAbsolute(path) || parseChunkPath(path) === undefined) {
    throw new NightjarError('invalid-argument', 'expected the path of a chunk', { path });
  }
  return join(directory, path);
}

export function isDateName(name: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(name);
}

export function isTrackName(name: string): name is TrackName {
  return name === 'main' || name === 'sub' || name === 'audio';
}
