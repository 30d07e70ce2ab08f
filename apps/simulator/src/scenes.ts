// All scenes by name, and how each is filmed.

import type { ClipDescription } from './clip.js';
import { gateScene } from './gate-scene.js';
import { lobbyScene } from './lobby-scene.js';
import { parkingScene } from './parking-scene.js';
import type { Scene } from './scene.js';
import { staticScene } from './static-scene.js';
import { yardScene } from './yard-scene.js';

export const SCENES: readonly Scene[] = [
  gateScene,
  yardScene,
  parkingScene,
  lobbyScene,
  staticScene,
];

export type SceneTrack = 'main' | 'sub';

export const GROUP_SECONDS = 2;

export const TRACKS: Readonly<Record<SceneTrack, ClipDescription>> = {
  main: { codec: 'h264', width: 1280, height: 720, fps: 15 },
  sub: { codec: 'h264', width: 640, height: 360, fps: 10 },
};

export function findScene(name: string): Scene | undefined {
  return SCENES.find((scene) => scene.name === name);
}
