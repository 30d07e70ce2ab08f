// Films a scene and encodes it, group by group.

import { setImmediate } from 'node:timers/promises';
import { NightjarError } from '#base';
import type { VideoCodec } from '#media';
import { Clip, groupFrames, type ClipFrame, type ClipGroup } from './clip.js';
import { Encoder } from './encoder.js';
import { Film } from './film.js';
import type { Scene } from './scene.js';
import { findScene } from './scenes.js';

export interface FilmingOptions {
  readonly codec?: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** How much of the scene's loop, from `fromSeconds` on. */
  readonly seconds: number;
  readonly fromSeconds?: number;
  readonly groupSeconds: number;
  readonly quality?: number;
  readonly film?: Film;
}

/** Still groups of a scene are encoded so many times, and shown in turn. */
const STILL_GROUPS = 2;

/** Each group as soon as it is encoded. Takes CPU; gives way to other work between frames. */
export async function* filmScene(scene: Scene, options: FilmingOptions): AsyncGenerator<ClipGroup> {
  const { codec = 'h264', width, height, fps, quality = 25, fromSeconds = 0 } = options;
  const film = options.film ?? new Film(scene, { width, height, fps });
  const framesPerGroup = Math.max(1, Math.round(fps * options.groupSeconds));
  const encoder = await Encoder.open({ codec, width, height, fps, framesPerGroup, quality });
  const stillGroups: ClipGroup[] = [];
  const firstFrame = Math.round(fromSeconds * fps);
  const endFrame = firstFrame + Math.round(options.seconds * fps);
  let group = 0;
  for (let start = firstFrame; start < endFrame; start += framesPerGroup, group++) {
    const end = Math.min(start + framesPerGroup, endFrame);
    const isWhole = end - start === framesPerGroup;
    const isStill = isWhole && scene.isStill?.(start / fps, end / fps) === true;
    const kept = stillGroups.length < STILL_GROUPS ? undefined : stillGroups[group % STILL_GROUPS];
    if (isStill && kept !== undefined) {
      yield kept;
      continue;
    }
    const frames: ClipFrame[] = [];
    for (let index = start; index < end; index++) {
      frames.push(encoder.encode(film.draw(index)));
      await setImmediate();
    }
    for (const made of groupFrames(frames)) {
      if (isStill) stillGroups.push(made);
      yield made;
    }
  }
  encoder.close();
}

export interface MakeClipOptions {
  readonly codec?: VideoCodec;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly seconds?: number;
  /** Where in the scene's loop to begin. */
  readonly fromSeconds?: number;
  readonly groupSeconds?: number;
  readonly quality?: number;
}

/**
 * Footage for a test: small (320x180), four seconds, groups of one second, unless told otherwise.
 * Encodes in this process. Throws `not-found` for an unknown scene.
 */
export async function makeClip(sceneName: string, options: MakeClipOptions = {}): Promise<Clip> {
  const scene = findScene(sceneName);
  if (scene === undefined) throw new NightjarError('not-found', `no scene ${sceneName}`, {});
  const filming = {
    codec: 'h264',
    width: 320,
    height: 180,
    fps: 10,
    seconds: 4,
    groupSeconds: 1,
    ...options,
  } as const;
  const { codec, width, height, fps } = filming;
  const clip = new Clip({ codec, width, height, fps });
  for await (const group of filmScene(scene, filming)) clip.add(group);
  return clip;
}
