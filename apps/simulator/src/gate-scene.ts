// The gate: a forecourt behind brick walls; people cross it twice in a minute, else nothing moves.

import type { Canvas, Point } from './canvas.js';
import { drawFigure, WARDROBE } from './figure.js';
import { leaves, paintCrown } from './greenery.js';
import type { Picture, Rgb } from './picture.js';
import type { Scene } from './scene.js';
import {
  bricks,
  grainOf,
  mixed,
  onGround,
  rough,
  roughness,
  scaled,
  smoothNoise,
} from './texture.js';
import { stanceAt, type Perspective, type Walk } from './walk.js';

const VIEW: Perspective = { horizon: 168, heightPerUnit: 0.62 };
const BRICK: Rgb = [132, 78, 62];
const IRON: Rgb = [36, 40, 42];

const WALKS: readonly Walk[] = [
  {
    startSeconds: 5,
    endSeconds: 16,
    path: [
      [-90, 640],
      [1370, 610],
    ],
    clothing: 0,
  },
  {
    startSeconds: 5,
    endSeconds: 15.5,
    path: [
      [1010, 336],
      [660, 338],
      [668, 392],
      [720, 480],
      [1370, 505],
    ],
    clothing: 1,
    height: 0.95,
  },
  {
    startSeconds: 34,
    endSeconds: 45,
    path: [
      [250, 336],
      [606, 338],
      [600, 400],
      [600, 560],
      [560, 905],
    ],
    clothing: 4,
  },
  {
    startSeconds: 37,
    endSeconds: 47,
    path: [
      [1370, 540],
      [-90, 560],
    ],
    clothing: 3,
    height: 0.93,
  },
];

export const gateScene: Scene = {
  name: 'gate',
  seconds: 60,
  noise: 2,
  version: 3,
  paint,
  draw,
  isStill,
};

function isStill(fromSeconds: number, toSeconds: number): boolean {
  return WALKS.every((walk) => walk.endSeconds < fromSeconds || walk.startSeconds > toSeconds);
}

function draw(picture: Picture, seconds: number): void {
  WALKS.map((walk) => ({ walk, stance: stanceAt(walk, seconds, VIEW) }))
    .sort((a, b) => (a.stance?.y ?? 0) - (b.stance?.y ?? 0))
    .forEach(({ walk, stance }) => {
      const clothing = WARDROBE[walk.clothing];
      if (stance !== undefined && clothing !== undefined) drawFigure(picture, stance, clothing);
    });
}

function paint(canvas: Canvas): void {
  canvas.rectangle([0, 0], [1280, 260], sky);
  trees(canvas);
  street(canvas);
  canvas.polygon(
    [
      [0, 330],
      [1280, 330],
      [1280, 720],
      [0, 720],
    ],
    paving,
  );
  wall(canvas, 0, 452);
  wall(canvas, 828, 1280);
  gate(canvas);
  for (const x of [452, 786]) pillar(canvas, x);
  lamp(canvas);
  hedge(canvas);
  canvas.light(
    (x, y) => (y > 330 ? 1 - 0.22 * Math.exp(-((y - 330) / 46)) : 1) * (0.94 + 0.1 * (x / 1280)),
  );
  canvas.vignette();
  canvas.text('GATE', [30, 26], 24);
}

function sky(x: number, y: number): Rgb {
  const cloud = Math.max(0, roughness(x / 260, y / 70) - 0.45) * 1.6;
  return mixed(mixed([126, 152, 184], [196, 208, 216], y / 230), [226, 228, 230], cloud);
}

function trees(canvas: Canvas): void {
  canvas.rectangle([0, 196], [1280, 264], leaves([48, 60, 40], 190, 80));
  for (let tree = 0; tree < 13; tree++) {
    const center = [tree * 108 - 20 + grainOf(tree, 1) * 40, 176 - grainOf(tree, 2) * 30] as const;
    const tone = 0.8 + grainOf(tree, 3) * 0.3;
    const radii = [84, 82 + grainOf(tree, 4) * 34] as const;
    paintCrown(canvas, { center, radii, color: scaled([72, 88, 60], tone), seed: tree });
  }
}

function street(canvas: Canvas): void {
  canvas.rectangle([0, 262], [1280, 334], rough([112, 112, 112], 14, 0.12));
  canvas.rectangle([0, 286], [1280, 291], [150, 148, 142]);
  canvas.polygon(
    [
      [930, 150],
      [1280, 120],
      [1280, 268],
      [930, 266],
    ],
    rough([164, 152, 132], 40, 0.06),
  );
  for (let window = 0; window < 4; window++) {
    const x = 960 + window * 82;
    canvas.rectangle([x, 172], [x + 44, 226], [66, 78, 90]);
    canvas.line([x + 22, 172], [x + 22, 226], 3, [196, 190, 180]);
    canvas.line([x - 3, 228], [x + 47, 228], 4, [186, 178, 166]);
  }
}

function paving(x: number, y: number): Rgb {
  const [across, away] = onGround({ horizon: VIEW.horizon, centerX: 640, depth: 1000 }, x, y);
  const row = Math.floor(away * 1.6);
  const shifted = across * 0.5 + (row % 2) * 0.5;
  const inStone = Math.min(shifted - Math.floor(shifted), away * 1.6 - row);
  const tone = 0.86 + grainOf(Math.floor(shifted), row) * 0.16;
  const dirt = 1 - 0.34 * Math.max(0, roughness(across * 0.28 + 7, away * 0.7) - 0.42);
  const joint = inStone < 0.05 ? 0.82 : 1;
  return scaled([152, 147, 138], tone * dirt * joint * (0.97 + roughness(x / 3, y / 3) * 0.06));
}

function wall(canvas: Canvas, from: number, to: number): void {
  canvas.rectangle([from, 196], [to, 352], bricks(BRICK, 30, 11));
  canvas.rectangle([from, 186], [to, 199], rough([166, 160, 150], 12, 0.12));
  canvas.polygon(
    [
      [from, 352],
      [to, 352],
      [to, 376],
      [from, 384],
    ],
    [30, 30, 32],
    0.35,
  );
  canvas.occlude(
    [
      [from, 188],
      [to, 188],
      [to, 352],
      [from, 352],
    ],
    352,
  );
}

function pillar(canvas: Canvas, x: number): void {
  canvas.rectangle([x, 150], [x + 42, 366], bricks(scaled(BRICK, 1.08), 22, 11));
  canvas.rectangle([x + 28, 150], [x + 42, 366], () => scaled(BRICK, 0.62));
  canvas.polygon(
    [
      [x - 6, 150],
      [x + 21, 128],
      [x + 48, 150],
    ],
    rough([172, 166, 156], 9, 0.12),
  );
  canvas.polygon(
    [
      [x, 366],
      [x + 44, 366],
      [x + 96, 396],
      [x + 40, 396],
    ],
    [28, 28, 30],
    0.4,
  );
  canvas.occlude(
    [
      [x, 150],
      [x + 42, 150],
      [x + 42, 362],
      [x, 362],
    ],
    366,
  );
}

/** One wing stands open; the other is shut, and people behind its bars are seen through them. */
function gate(canvas: Canvas): void {
  for (let bar = 0; bar <= 9; bar++) {
    const x = 700 + bar * 9.4;
    canvas.line([x, 176], [x, 352], 2.6, IRON);
  }
  canvas.line([696, 182], [790, 182], 5, IRON);
  canvas.line([696, 262], [790, 262], 4, IRON);
  canvas.line([696, 346], [790, 346], 5, IRON);
  for (let bar = 0; bar <= 6; bar++) {
    const x = 494 + bar * 5.2;
    canvas.line([x, 176 + bar * 0.6], [x, 352 + bar * 3.2], 2.4, IRON);
  }
  canvas.line([494, 182], [528, 186], 4, IRON);
  canvas.line([494, 346], [528, 366], 5, IRON);
}

function lamp(canvas: Canvas): void {
  const shaft: readonly Point[] = [
    [1108, 86],
    [1116, 86],
    [1119, 452],
    [1105, 452],
  ];
  canvas.polygon(
    [
      [1112, 452],
      [1124, 450],
      [1280, 502],
      [1280, 512],
    ],
    [24, 24, 26],
    0.36,
  );
  canvas.polygon(shaft, (x) => scaled([70, 74, 76], 1.25 - Math.abs(x - 1109) * 0.07));
  canvas.polygon(
    [
      [1098, 90],
      [1094, 58],
      [1130, 58],
      [1126, 90],
    ],
    [206, 204, 186],
  );
  canvas.polygon(
    [
      [1088, 60],
      [1112, 42],
      [1136, 60],
    ],
    IRON,
  );
  canvas.ellipse([1112, 453], [17, 6], [58, 60, 62]);
  canvas.occlude(shaft, 452);
}

function hedge(canvas: Canvas): void {
  const outline: Point[] = [[-10, 720]];
  for (let step = 0; step <= 20; step++) {
    outline.push([step * 15 - 10, 590 + step * 6.2 - smoothNoise(step * 0.7, 3) * 46]);
  }
  outline.push([300, 720]);
  canvas.polygon(outline, leaves([74, 100, 54], 580, 150));
  canvas.occlude(outline, 720);
}
