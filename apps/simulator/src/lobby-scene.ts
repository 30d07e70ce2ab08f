// The lobby: people come and go across the tiles; there is hardly a quiet moment.

import type { Canvas } from './canvas.js';
import { drawFigure, WARDROBE, type Stance } from './figure.js';
import { paintCrown } from './greenery.js';
import type { Picture, Rgb } from './picture.js';
import type { Scene } from './scene.js';
import { grainOf, mixed, onGround, rough, roughness, scaled } from './texture.js';
import { stanceAt, type Perspective, type Walk } from './walk.js';

const VIEW: Perspective = { horizon: 150, heightPerUnit: 0.6 };

const WALKS: readonly Walk[] = [
  {
    startSeconds: 0,
    endSeconds: 11,
    path: [
      [1390, 456],
      [700, 560],
      [420, 900],
    ],
    clothing: 0,
  },
  {
    startSeconds: 4,
    endSeconds: 14,
    path: [
      [-90, 560],
      [1370, 620],
    ],
    clothing: 3,
    height: 0.96,
  },
  {
    startSeconds: 12,
    endSeconds: 24,
    path: [
      [300, 900],
      [640, 520],
      [1390, 456],
    ],
    clothing: 1,
    height: 0.94,
  },
  {
    startSeconds: 16,
    endSeconds: 27,
    path: [
      [1370, 540],
      [-90, 500],
    ],
    clothing: 4,
  },
  {
    startSeconds: 22,
    endSeconds: 34,
    path: [
      [1390, 456],
      [560, 470],
      [-90, 640],
    ],
    clothing: 2,
    height: 1.03,
  },
  {
    startSeconds: 30,
    endSeconds: 40,
    path: [
      [-90, 480],
      [1370, 520],
    ],
    clothing: 5,
    height: 0.92,
  },
  {
    startSeconds: 32,
    endSeconds: 44,
    path: [
      [860, 900],
      [760, 520],
      [1390, 456],
    ],
    clothing: 0,
    height: 1.02,
  },
  {
    startSeconds: 41,
    endSeconds: 52,
    path: [
      [1370, 650],
      [-90, 600],
    ],
    clothing: 1,
  },
  {
    startSeconds: 46,
    endSeconds: 58,
    path: [
      [1390, 456],
      [900, 560],
      [980, 900],
    ],
    clothing: 3,
  },
];

/** Somebody waits at the desk for most of the minute, shifting from foot to foot. */
const WAITING = { x: 372, y: 474, fromSeconds: 2, toSeconds: 56 };

export const lobbyScene: Scene = {
  name: 'lobby',
  seconds: 60,
  noise: 2.2,
  version: 2,
  paint,
  draw,
};

function draw(picture: Picture, seconds: number): void {
  const actors: { stance: Stance; clothing: number }[] = [];
  for (const walk of WALKS) {
    const stance = stanceAt(walk, seconds, VIEW);
    if (stance !== undefined) actors.push({ stance, clothing: walk.clothing });
  }
  if (seconds > WAITING.fromSeconds && seconds < WAITING.toSeconds) {
    const sway = Math.sin(seconds * 0.9) * 5;
    const height = (WAITING.y - VIEW.horizon) * VIEW.heightPerUnit;
    const stance = {
      x: WAITING.x + sway,
      y: WAITING.y,
      height,
      steps: 0.5,
      heading: 0,
      stride: 0.1,
    };
    actors.push({ stance: { ...stance, away: true }, clothing: 5 });
  }
  actors.sort((a, b) => a.stance.y - b.stance.y);
  for (const { stance, clothing } of actors) {
    const clothes = WARDROBE[clothing];
    if (clothes !== undefined) drawFigure(picture, stance, clothes);
  }
}

function paint(canvas: Canvas): void {
  canvas.rectangle([0, 0], [1280, 96], rough([186, 184, 178], 60, 0.03));
  ceiling(canvas);
  walls(canvas);
  canvas.rectangle([0, 400], [1280, 720], tiles);
  entrance(canvas);
  canvas.rectangle([0, 392], [1010, 404], [92, 88, 82]);
  canvas.light(
    (x, y) => (y > 400 ? 1 - 0.3 * Math.exp(-(y - 400) / 26) : 1) * (0.92 + 0.1 * (x / 1280)),
  );
  desk(canvas);
  plant(canvas, 952, 452);
  bench(canvas);
  canvas.vignette(0.4);
  canvas.text('LOBBY', [30, 26], 24);
}

function ceiling(canvas: Canvas): void {
  for (let row = 0; row < 4; row++)
    canvas.line([0, 12 + row * 26], [1280, 12 + row * 26], 1.5, [158, 156, 150]);
  for (let column = 0; column < 12; column++) {
    const x = column * 120 - 20;
    canvas.line([640 + (x - 640) * 1.4, 0], [x, 96], 1.5, [158, 156, 150]);
  }
  for (const x of [250, 610, 970]) {
    canvas.polygon(
      [
        [x - 18, 20],
        [x + 92, 20],
        [x + 84, 48],
        [x - 10, 48],
      ],
      [246, 244, 236],
    );
    canvas.polygon(
      [
        [x - 6, 66],
        [x + 80, 66],
        [x + 76, 82],
        [x - 2, 82],
      ],
      [240, 238, 230],
    );
  }
}

function walls(canvas: Canvas): void {
  canvas.rectangle([0, 94], [1280, 402], (x, y) => {
    const light =
      1.02 - 0.0006 * (y - 94) + 0.05 * Math.cos((x - 650) / 57) ** 2 * Math.exp(-(y - 94) / 90);
    return scaled([188, 180, 164], light * (0.98 + roughness(x / 70, y / 70) * 0.04));
  });
  canvas.rectangle([60, 130], [520, 396], (x, y) => {
    const panel = Math.floor((x - 60) / 46);
    const edge = x - 60 - panel * 46 < 2 ? 0.6 : 1;
    return scaled(
      [132, 92, 60],
      edge * (0.82 + grainOf(panel, 3) * 0.16 + roughness(x / 4, y / 70) * 0.22),
    );
  });
  canvas.rectangle([600, 170], [760, 282], [60, 56, 50]);
  canvas.rectangle([608, 178], [752, 274], (x, y) =>
    mixed([84, 118, 140], [206, 180, 132], roughness(x / 40, y / 26)),
  );
  canvas.rectangle([806, 190], [872, 394], [122, 122, 120]);
  canvas.rectangle([812, 196], [866, 394], (x) =>
    scaled([158, 160, 162], 0.9 + 0.12 * Math.sin((x - 812) / 16)),
  );
  canvas.line([839, 196], [839, 394], 2, [86, 88, 90]);
  canvas.rectangle([882, 282], [892, 300], [54, 54, 56]);
}

function tiles(x: number, y: number): Rgb {
  const [across, away] = onGround({ horizon: VIEW.horizon, centerX: 640, depth: 1000 }, x, y);
  const [u, v] = [across * 0.62, away * 1.9];
  const [column, row] = [Math.floor(u), Math.floor(v)];
  const isJoint = Math.min(u - column, v - row) < 0.035;
  const tone = 0.93 + grainOf(column, row) * 0.09 + (roughness(across * 2.2, away * 4) - 0.5) * 0.1;
  // A polished floor shows the lamps and the door.
  const lamps =
    0.13 * Math.exp(-(((((x + 120) % 360) - 200) / 70) ** 2)) * Math.exp(-(y - 400) / 160);
  const door = 0.2 * Math.exp(-(((x - 1150) / 110) ** 2)) * Math.exp(-(y - 400) / 120);
  return scaled([170, 162, 148], (isJoint ? 0.8 : 1) * (tone + lamps + door));
}

function entrance(canvas: Canvas): void {
  canvas.rectangle([1010, 118], [1280, 424], [88, 90, 92]);
  for (const [x, width] of [
    [1020, 80],
    [1108, 78],
    [1194, 86],
  ] as const) {
    canvas.rectangle([x, 128], [x + width, 416], (px, py) => {
      // The street outside, washed out by the exposure for the room.
      const outside: Rgb = py < 300 ? [216, 224, 230] : [192, 192, 186];
      const tree = Math.max(0, roughness(px / 34, py / 40) - 0.42) * (py < 318 ? 1.5 : 0);
      const parked = py > 286 && py < 322 && px > 1120 && px < 1262 ? 0.8 : 1;
      return mixed(scaled(outside, parked), [142, 156, 138], Math.min(0.7, tree));
    });
  }
  canvas.rectangle([1100, 260], [1106, 330], [208, 210, 212]);
  canvas.rectangle([1188, 260], [1193, 330], [208, 210, 212]);
}

function desk(canvas: Canvas): void {
  canvas.polygon(
    [
      [96, 470],
      [470, 470],
      [560, 500],
      [140, 506],
    ],
    [30, 28, 26],
    0.3,
  );
  const frontPanel = (x: number, y: number): Rgb =>
    scaled([110, 76, 52], 0.86 + roughness(x / 60, y / 4) * 0.26);
  canvas.rectangle([92, 372], [468, 474], frontPanel);
  canvas.rectangle([92, 448], [468, 474], [52, 46, 42]);
  canvas.polygon(
    [
      [80, 360],
      [480, 360],
      [476, 376],
      [84, 376],
    ],
    rough([206, 202, 194], 40, 0.06),
  );
  canvas.polygon(
    [
      [170, 314],
      [236, 314],
      [232, 358],
      [174, 358],
    ],
    [38, 40, 44],
  );
  canvas.polygon(
    [
      [176, 319],
      [230, 319],
      [227, 351],
      [179, 351],
    ],
    [86, 104, 120],
  );
  canvas.rectangle([300, 344], [330, 360], [232, 230, 224]);
}

function plant(canvas: Canvas, x: number, y: number): void {
  canvas.ellipse([x + 14, y + 2], [48, 9], [96, 90, 82]);
  canvas.polygon(
    [
      [x - 26, y - 58],
      [x + 26, y - 58],
      [x + 19, y],
      [x - 19, y],
    ],
    (px) => scaled([196, 192, 186], 1.05 - (px - x + 26) / 120),
  );
  for (let crown = 0; crown < 4; crown++) {
    const center = [x - 24 + crown * 16, y - 112 - (crown % 2) * 42] as const;
    paintCrown(canvas, { center, radii: [36, 52], color: [66, 104, 58], seed: crown + 70 });
  }
}

function bench(canvas: Canvas): void {
  canvas.polygon(
    [
      [560, 452],
      [760, 452],
      [790, 466],
      [590, 468],
    ],
    [40, 38, 34],
    0.3,
  );
  canvas.rectangle([552, 404], [756, 420], rough([62, 66, 74], 20, 0.12));
  canvas.rectangle([552, 420], [756, 428], [40, 42, 48]);
  for (const x of [564, 736]) canvas.rectangle([x, 428], [x + 8, 456], [120, 122, 124]);
  paintCrown(canvas, { center: [20, 690], radii: [120, 110], color: [62, 96, 54], seed: 90 });
}
