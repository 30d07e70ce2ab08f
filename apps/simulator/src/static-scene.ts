// Nothing moves and nothing is noisy: every frame of this scene is the same, for tests.

import type { Canvas } from './canvas.js';
import type { Scene } from './scene.js';
import { bricks, mixed, rough } from './texture.js';

export const staticScene: Scene = {
  name: 'static',
  seconds: 10,
  noise: 0,
  version: 2,
  paint,
  isStill: () => true,
};

function paint(canvas: Canvas): void {
  canvas.rectangle([0, 0], [1280, 300], (_x, y) =>
    mixed([120, 140, 170], [190, 200, 206], y / 300),
  );
  canvas.rectangle([0, 240], [1280, 470], bricks([150, 96, 78], 40, 16));
  canvas.rectangle([0, 470], [1280, 720], rough([120, 118, 112], 24, 0.15));
  for (const x of [180, 520, 860]) {
    canvas.rectangle([x, 280], [x + 150, 400], [58, 70, 84]);
    canvas.line([x + 75, 280], [x + 75, 400], 6, [206, 202, 194]);
  }
  canvas.vignette();
  canvas.text('STATIC', [30, 26], 24);
}
