// Films one scene in a process of its own and sends its groups to the simulator as they come.

import { setPriority } from 'node:os';
import { Canvas } from './canvas.js';
import { Film } from './film.js';
import { filmScene } from './scene-clip.js';
import { findScene, GROUP_SECONDS, TRACKS, type SceneTrack } from './scenes.js';
import type { ClipGroup } from './clip.js';

/** One message of this process. */
export interface SceneMessage {
  readonly track: SceneTrack;
  /** Absent when the track is whole. */
  readonly group?: ClipGroup;
}

async function film(name: string): Promise<void> {
  const scene = findScene(name);
  if (scene === undefined) throw new Error(`no scene ${name}`);
  const canvas = new Canvas(TRACKS.main.width, TRACKS.main.height);
  scene.paint(canvas);
  const makers = (['sub', 'main'] as const).map((track) => ({
    track,
    groups: filmScene(scene, {
      ...TRACKS[track],
      seconds: scene.seconds,
      groupSeconds: GROUP_SECONDS,
      film: new Film(scene, TRACKS[track], track === 'main' ? canvas : canvas.halved()),
    }),
  }));
  let whole = 0;
  while (whole < makers.length) {
    for (const { track, groups } of makers) {
      const next = await groups.next();
      if (next.done === true) whole += 1;
      await send(next.done === true ? { track } : { track, group: next.value });
    }
    // Somebody may wait for the first groups; for the others, whoever records here comes first.
    setPriority(15);
  }
}

function send(message: SceneMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

process.once('disconnect', () => process.exit(0));
setPriority(3);
film(process.argv[3] ?? '').then(
  () => process.disconnect(),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
