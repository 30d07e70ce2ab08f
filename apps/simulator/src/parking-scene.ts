// The parking: a street with bays; twice a minute a car comes into one or leaves it.

import type { Canvas } from './canvas.js';
import { drawCar, type CarPose } from './car.js';
import { paintCrown, paintTrunk } from './greenery.js';
import type { Picture, Rgb } from './picture.js';
import type { Scene } from './scene.js';
import { grainOf, mixed, onGround, rough, roughness, scaled } from './texture.js';

const ARRIVES = { from: 5, to: 13, lampsOffAt: 15 };
const LEAVES = { lampsOnAt: 34, from: 35.5, to: 42 };
const BAY = { x: 640, y: 430, length: 330 };
const PAINT: Rgb = [150, 34, 36];

export const parkingScene: Scene = {
  name: 'parking',
  seconds: 60,
  noise: 2,
  version: 1,
  paint,
  place,
  draw,
  isStill: (from, to) =>
    to < ARRIVES.from || (from > ARRIVES.lampsOffAt && to < LEAVES.lampsOnAt) || from > LEAVES.to,
};

function draw(picture: Picture, seconds: number): void {
  const pose = poseAt(seconds);
  if (pose !== undefined) drawCar(picture, pose, PAINT);
}

/** Undefined while the car is away. */
function poseAt(seconds: number): CarPose | undefined {
  if (seconds < ARRIVES.from || seconds > LEAVES.to) return undefined;
  if (seconds < LEAVES.from) {
    const part = Math.min(1, (seconds - ARRIVES.from) / (ARRIVES.to - ARRIVES.from));
    const left = (1 - part) ** 2;
    const lamps =
      seconds > ARRIVES.lampsOffAt && seconds < LEAVES.lampsOnAt
        ? 'off'
        : seconds > ARRIVES.to - 3 && seconds < ARRIVES.lampsOffAt
          ? 'braking'
          : 'on';
    return onLane(left * 920, Math.min(1, left * 3.2), lamps);
  }
  const part = (seconds - LEAVES.from) / (LEAVES.to - LEAVES.from);
  return onLane(-(part ** 2) * 940, Math.min(1, part ** 2 * 3.2), 'on');
}

/** `offset` is the way along the street from the bay; `out` is 1 on the lane, 0 in the bay. */
function onLane(offset: number, out: number, lamps: CarPose['lamps']): CarPose {
  const eased = out * out * (3 - 2 * out);
  return {
    x: BAY.x + offset,
    y: BAY.y + eased * 92,
    length: BAY.length * (1 + eased * 0.3),
    heading: -1,
    rolled: -offset,
    lamps,
  };
}

function place(picture: Picture): void {
  const parked = { y: BAY.y, length: BAY.length, rolled: 12, lamps: 'off' } as const;
  drawCar(picture, { ...parked, x: 196, heading: -1 }, [168, 172, 176]);
  drawCar(picture, { ...parked, x: 1082, heading: -1, length: BAY.length * 1.04 }, [40, 54, 78]);
}

function paint(canvas: Canvas): void {
  canvas.rectangle([0, 0], [1280, 120], (_x, y) =>
    mixed([150, 164, 182], [192, 200, 206], y / 120),
  );
  facade(canvas);
  canvas.rectangle([0, 306], [1280, 362], sidewalk);
  canvas.rectangle([0, 360], [1280, 370], rough([176, 172, 164], 9, 0.1));
  canvas.rectangle([0, 370], [1280, 720], asphalt);
  canvas.rectangle([0, 368], [1280, 382], (x, y) => scaled(asphalt(x, y), 0.6));
  markings(canvas);
  tree(canvas);
  canvas.polygon(
    [
      [0, 676],
      [1280, 652],
      [1280, 720],
      [0, 720],
    ],
    rough([158, 154, 146], 12, 0.1),
  );
  canvas.line([0, 676], [1280, 652], 8, [186, 182, 174]);
  canvas.light((x, y) => 0.9 + 0.12 * (1 - x / 1280) - 0.08 * (y / 720));
  canvas.vignette();
  canvas.text('PARKING', [30, 26], 24);
}

function facade(canvas: Canvas): void {
  canvas.rectangle([0, 46], [1280, 308], rough([172, 160, 142], 60, 0.07));
  canvas.rectangle([0, 36], [1280, 52], rough([130, 124, 116], 20, 0.08));
  canvas.rectangle([0, 190], [1280, 200], [140, 130, 116]);
  for (let window = 0; window < 11; window++) {
    const x = 34 + window * 116;
    pane(canvas, { x, y: 76, width: 66, height: 96 }, window);
    if (window !== 4 && window !== 8)
      pane(canvas, { x: x - 6, y: 214, width: 80, height: 74 }, window + 20);
  }
  for (const x of [500, 962]) {
    canvas.rectangle([x - 4, 206], [x + 74, 308], [112, 104, 94]);
    canvas.rectangle([x + 3, 213], [x + 67, 308], rough([74, 54, 42], 30, 0.2));
    canvas.rectangle([x + 12, 222], [x + 58, 254], [70, 82, 92]);
    canvas.ellipse([x + 60, 268], [3, 3], [190, 180, 140]);
  }
  canvas.rectangle([0, 288], [1280, 308], rough([110, 104, 98], 16, 0.12));
}

interface Opening {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function pane(canvas: Canvas, { x, y, width, height }: Opening, seed: number): void {
  const curtain = grainOf(seed, 4);
  canvas.rectangle([x - 5, y - 5], [x + width + 5, y + height + 5], [206, 200, 188]);
  canvas.rectangle([x, y], [x + width, y + height], (px, py) => {
    const sky = mixed([96, 112, 126], [40, 48, 56], (py - y) / height);
    const isCurtain = Math.abs((px - x) / width - 0.5) > 0.5 - curtain * 0.34;
    return isCurtain ? scaled([188, 182, 170], 0.6 + 0.12 * Math.sin(px / 2.4)) : sky;
  });
  canvas.line([x + width / 2, y], [x + width / 2, y + height], 4, [214, 208, 198]);
  canvas.line([x, y + height * 0.38], [x + width, y + height * 0.38], 3, [214, 208, 198]);
  canvas.rectangle([x - 8, y + height + 4], [x + width + 8, y + height + 10], [152, 144, 132]);
}

function sidewalk(x: number, y: number): Rgb {
  const column = Math.floor(x / 46);
  const row = Math.floor((y - 306) / 18);
  const isJoint = x - column * 46 < 1.5 || y - 306 - row * 18 < 1.5;
  return scaled([160, 156, 148], (isJoint ? 0.8 : 1) * (0.92 + grainOf(column, row) * 0.12));
}

function asphalt(x: number, y: number): Rgb {
  const [across, away] = onGround({ horizon: 160, centerX: 640, depth: 1000 }, x, y);
  const patch = roughness(across * 0.35, away * 1.3);
  const stain = Math.max(0, roughness(across * 0.9 + 40, away * 2.4) - 0.58) * 1.4;
  return scaled(
    [104, 105, 108],
    0.84 + patch * 0.26 - stain + (roughness(x / 2.2, y / 1.6) - 0.5) * 0.16,
  );
}

function markings(canvas: Canvas): void {
  const worn = (x: number, y: number): Rgb =>
    scaled([214, 212, 204], 0.72 + roughness(x / 7, y / 5) * 0.36);
  for (let bay = 0; bay <= 3; bay++) {
    const x = -40 + bay * 448;
    const lean = (x - 640) * 0.055;
    canvas.polygon(
      [
        [x, 374],
        [x + 10, 374],
        [x + 14 + lean, 446],
        [x + 2 + lean, 446],
      ],
      worn,
    );
  }
  canvas.line([0, 448], [1280, 448], 5, worn);
  for (let dash = 0; dash < 6; dash++) {
    const x = dash * 250 - 60;
    canvas.polygon(
      [
        [x, 566],
        [x + 130, 564],
        [x + 132, 575],
        [x - 2, 577],
      ],
      worn,
    );
  }
  canvas.ellipse([880, 600], [34, 13], (x, y) =>
    scaled([78, 78, 80], 0.85 + 0.3 * (Math.floor(x / 6) % 2) * (Math.floor(y / 4) % 2)),
  );
}

function tree(canvas: Canvas): void {
  paintTrunk(canvas, [868, 352], 190, 13);
  for (let crown = 0; crown < 4; crown++) {
    paintCrown(canvas, {
      center: [838 + crown * 24, 128 - (crown % 2) * 34],
      radii: [78, 62],
      color: [82, 104, 62],
      seed: crown + 30,
    });
  }
}
