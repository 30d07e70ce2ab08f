// The yard: nobody comes; the daylight changes slowly and the sensor is noisy.

import type { Canvas } from './canvas.js';
import { paintCrown, paintTrunk } from './greenery.js';
import type { Rgb } from './picture.js';
import type { Scene } from './scene.js';
import { bricks, grainOf, mixed, onGround, rough, roughness, scaled } from './texture.js';

export const yardScene: Scene = {
  name: 'yard',
  seconds: 60,
  noise: 2.2,
  version: 2,
  paint,
  light: (seconds) => 1 + 0.045 * Math.sin((seconds / 60) * 2 * Math.PI),
};

const PLANK: Rgb = [150, 122, 90];

function paint(canvas: Canvas): void {
  canvas.rectangle([0, 0], [1280, 250], (x, y) => {
    const cloud = Math.max(0, roughness(x / 300 + 5, y / 80) - 0.42) * 1.8;
    return mixed(mixed([118, 146, 182], [190, 204, 214], y / 220), [224, 226, 228], cloud);
  });
  for (let crown = 0; crown < 9; crown++) {
    paintCrown(canvas, {
      center: [430 + crown * 108, 190 - grainOf(crown, 6) * 40],
      radii: [88, 76],
      color: [74, 92, 60],
      seed: crown + 3,
    });
  }
  fence(canvas);
  lawn(canvas);
  shed(canvas);
  path(canvas);
  house(canvas);
  apple(canvas);
  canvas.vignette();
  canvas.text('YARD', [30, 26], 24);
}

function fence(canvas: Canvas): void {
  for (let plank = 0; plank < 46; plank++) {
    const x = 396 + plank * 20;
    const tone = 0.78 + grainOf(plank, 9) * 0.3;
    const top = 212 + grainOf(plank, 10) * 5;
    canvas.polygon(
      [
        [x, top + 6],
        [x + 9, top],
        [x + 18, top + 6],
        [x + 18, 352],
        [x, 352],
      ],
      (px, py) => scaled(PLANK, tone * (0.86 + roughness(px / 3, py / 46) * 0.24)),
    );
  }
  for (const y of [246, 318]) canvas.rectangle([396, y], [1280, y + 7], () => scaled(PLANK, 0.7));
}

function lawn(canvas: Canvas): void {
  canvas.rectangle([0, 344], [1280, 720], (x, y) => {
    const [across, away] = onGround({ horizon: 190, centerX: 640, depth: 1000 }, x, y);
    const patch = roughness(across * 0.3, away * 0.9);
    const blade = roughness(x / 2.6, y / 7);
    const color = mixed([92, 118, 58], [134, 132, 76], Math.max(0, patch - 0.5) * 1.6);
    return scaled(color, 0.62 + patch * 0.3 + (blade - 0.5) * 0.5 + (y - 344) / 2600);
  });
  canvas.polygon(
    [
      [396, 344],
      [1280, 344],
      [1280, 392],
      [396, 386],
    ],
    [22, 30, 18],
    0.34,
  );
}

function shed(canvas: Canvas): void {
  canvas.polygon(
    [
      [912, 430],
      [1150, 430],
      [1236, 470],
      [1000, 486],
    ],
    [20, 26, 18],
    0.36,
  );
  canvas.rectangle([930, 226], [1150, 432], (x, y) => {
    const board = Math.floor((y - 226) / 17);
    const edge = y - 226 - board * 17 < 2 ? 0.72 : 1;
    return scaled(
      [128, 108, 88],
      edge * (0.84 + grainOf(board, 2) * 0.14 + roughness(x / 50, y / 3) * 0.14),
    );
  });
  canvas.polygon(
    [
      [904, 234],
      [1040, 152],
      [1176, 234],
    ],
    rough([98, 84, 78], 10, 0.18),
  );
  canvas.line([904, 236], [1040, 154], 8, [86, 74, 66]);
  canvas.line([1040, 154], [1176, 236], 8, [86, 74, 66]);
  canvas.rectangle([1058, 292], [1126, 432], rough([104, 84, 66], 26, 0.16));
  canvas.line([1058, 292], [1126, 432], 5, [86, 68, 54]);
  canvas.rectangle([958, 282], [1024, 346], [196, 190, 178]);
  canvas.rectangle([964, 288], [1018, 340], (_x, y) =>
    mixed([110, 126, 138], [52, 60, 66], (y - 288) / 52),
  );
  canvas.line([991, 288], [991, 340], 4, [196, 190, 178]);
}

function path(canvas: Canvas): void {
  for (let stone = 0; stone < 9; stone++) {
    const near = stone / 8;
    const x = 470 + (1 - near) * 540 * (1 - near) + grainOf(stone, 1) * 14;
    const y = 462 + near ** 1.3 * 236;
    canvas.ellipse([x + 3, y + 4], [34 + near * 44, 9 + near * 13], [48, 56, 36]);
    canvas.ellipse([x, y], [33 + near * 43, 8 + near * 12], rough([158, 154, 146], 9, 0.16));
  }
}

function house(canvas: Canvas): void {
  canvas.polygon(
    [
      [0, 620],
      [398, 470],
      [520, 500],
      [70, 720],
      [0, 720],
    ],
    [24, 30, 18],
    0.3,
  );
  canvas.polygon(
    [
      [0, 40],
      [398, 128],
      [398, 470],
      [0, 634],
    ],
    (x, y) => bricks([158, 104, 84], 34, 13)(x, y + x * 0.18),
  );
  canvas.polygon(
    [
      [0, 4],
      [424, 104],
      [424, 132],
      [0, 44],
    ],
    rough([92, 88, 86], 9, 0.12),
  );
  canvas.polygon(
    [
      [60, 208],
      [196, 226],
      [196, 404],
      [60, 424],
    ],
    [208, 204, 196],
  );
  canvas.polygon(
    [
      [68, 216],
      [188, 232],
      [188, 396],
      [68, 414],
    ],
    (x, y) => mixed([104, 122, 138], [34, 40, 46], Math.min(1, (y - 216 + x * 0.2) / 190)),
  );
  canvas.line([128, 222], [128, 406], 6, [208, 204, 196]);
  canvas.line([66, 306], [190, 308], 5, [208, 204, 196]);
  canvas.polygon(
    [
      [262, 240],
      [350, 250],
      [350, 490],
      [262, 524],
    ],
    [96, 60, 48],
  );
  canvas.polygon(
    [
      [272, 252],
      [340, 260],
      [340, 330],
      [272, 334],
    ],
    [70, 82, 92],
  );
  canvas.ellipse([338, 394], [4, 5], [196, 184, 140]);
  canvas.polygon(
    [
      [384, 126],
      [394, 128],
      [394, 474],
      [384, 478],
    ],
    [170, 172, 172],
  );
  canvas.polygon(
    [
      [240, 528],
      [372, 476],
      [420, 488],
      [276, 546],
    ],
    rough([164, 160, 152], 14, 0.1),
  );
}

function apple(canvas: Canvas): void {
  canvas.ellipse([724, 470], [148, 26], (x, y) =>
    scaled([56, 70, 38], 0.8 + roughness(x / 3, y / 4) * 0.4),
  );
  paintTrunk(canvas, [700, 466], 170, 20);
  for (let crown = 0; crown < 6; crown++) {
    paintCrown(canvas, {
      center: [640 + (crown % 3) * 62, 262 - Math.floor(crown / 3) * 58 - (crown % 2) * 12],
      radii: [76, 62],
      color: [88, 116, 58],
      seed: crown + 50,
    });
  }
  paintCrown(canvas, { center: [1260, 690], radii: [170, 140], color: [74, 100, 54], seed: 91 });
}
