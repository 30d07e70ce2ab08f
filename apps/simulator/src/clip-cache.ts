// Keeps encoded scenes on disk, so that only the first start pays for them.

import { fork } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compiledModule, NightjarError, type Log } from '#base';
import { Clip, groupFrames, type ClipDescription, type ClipFrame } from './clip.js';
import type { Scene } from './scene.js';
import type { SceneMessage } from './scene-process.js';
import { TRACKS, type SceneTrack } from './scenes.js';

/** Beside an Annex-B file: how to cut it into access units. */
interface ClipIndex {
  readonly description: ClipDescription;
  readonly sizes: readonly number[];
  readonly keys: readonly number[];
  readonly duration90k: number;
}

type SceneClips = Readonly<Record<SceneTrack, Clip>>;

export class ClipCache {
  readonly #directory: string;
  readonly #log: Log;
  readonly #filming = new Map<string, Promise<SceneClips>>();
  readonly #children = new Set<{ kill(): unknown }>();

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** A clip with at least one group; it may still grow. */
  async load(scene: Scene, track: SceneTrack): Promise<Clip> {
    const running = this.#filming.get(scene.name);
    if (running === undefined) {
      const kept = await this.#read(scene, track);
      if (kept !== undefined) return kept;
    }
    return (await this.#film(scene))[track];
  }

  close(): void {
    for (const child of this.#children) child.kill();
  }

  #film(scene: Scene): Promise<SceneClips> {
    const running = this.#filming.get(scene.name);
    if (running !== undefined) return running;
    const started = this.#start(scene);
    this.#filming.set(scene.name, started);
    started.catch(() => this.#filming.delete(scene.name));
    return started;
  }

  /** Resolves when both tracks can play; goes on filming behind that. */
  #start(scene: Scene): Promise<SceneClips> {
    const startedMs = performance.now();
    const clips = { main: new Clip(TRACKS.main), sub: new Clip(TRACKS.sub) };
    const path = compiledModule('./scene-process.js', import.meta.url);
    const child = fork(path, ['simulator', scene.name], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    });
    this.#children.add(child);
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const { track, group } = message as SceneMessage;
        if (group !== undefined) clips[track].add(group);
        else void this.#write(scene, track, clips[track]);
        if (clips.main.groups.length > 0 && clips.sub.groups.length > 0) resolve(clips);
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        const whole = clips.main.duration90k >= scene.seconds * 90_000;
        const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
        if (whole) this.#log.info({ scene: scene.name, seconds }, 'a scene is filmed');
        reject(new NightjarError('internal', 'a scene could not be filmed', { code, signal }));
      });
    });
  }

  #path(scene: Scene, track: SceneTrack): string {
    const { width, height, fps, codec } = TRACKS[track];
    const name = `${scene.name}-${track}-${width}x${height}-${fps}-v${scene.version}`;
    return join(this.#directory, `${name}.${codec}`);
  }

  async #read(scene: Scene, track: SceneTrack): Promise<Clip | undefined> {
    const path = this.#path(scene, track);
    try {
      const index = JSON.parse(await readFile(`${path}.json`, 'utf8')) as ClipIndex;
      const data = await readFile(path);
      const keys = new Set(index.keys);
      let end = 0;
      const frames = index.sizes.map((size, number): ClipFrame => {
        end += size;
        return {
          data: data.subarray(end - size, end),
          key: keys.has(number),
          duration90k: index.duration90k,
          ctsOffset90k: 0,
        };
      });
      if (end !== data.length) return undefined;
      return new Clip(index.description, groupFrames(frames));
    } catch {
      // Not there, or not whole: it is filmed again.
      return undefined;
    }
  }

  /** The index comes last and by rename: where it is, the footage is whole. */
  async #write(scene: Scene, track: SceneTrack, clip: Clip): Promise<void> {
    const path = this.#path(scene, track);
    const { frames } = clip;
    const index: ClipIndex = {
      description: clip.description,
      sizes: frames.map((frame) => frame.data.length),
      keys: frames.flatMap((frame, number) => (frame.key ? [number] : [])),
      duration90k: frames[0]?.duration90k ?? 0,
    };
    const part = `${path}.${process.pid}.part`;
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(part, Buffer.concat(frames.map((frame) => frame.data)));
      await rename(part, path);
      await writeFile(part, JSON.stringify(index));
      await rename(part, `${path}.json`);
    } catch (error) {
      this.#log.warn({ err: error, path }, 'a clip could not be kept');
    }
  }
}
