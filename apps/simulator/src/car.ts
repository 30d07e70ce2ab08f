// A car, seen from the side: body, glass, turning wheels, lamps and the light they throw.

import type { Picture, Rgb, Yuv } from './picture.js';
import { yuvOf } from './picture.js';
import { scaled } from './texture.js';

export interface CarPose {
  /** The middle of the car, where its wheels touch the ground. */
  readonly x: number;
  readonly y: number;
  readonly length: number;
  /** 1 drives to the right, -1 to the left. */
  readonly heading: 1 | -1;
  /** Distance rolled, in scene units, for the wheels. */
  readonly rolled: number;
  readonly lamps: 'off' | 'on' | 'braking';
}

const TYRE = yuvOf([26, 26, 28]);
const RIM = yuvOf([150, 152, 156]);
const SPOKE = yuvOf([70, 72, 76]);
const GLASS = yuvOf([44, 54, 64]);
const SHINE = yuvOf([128, 144, 158]);
const TRIM = yuvOf([30, 31, 33]);
const HEADLAMP = yuvOf([250, 246, 226]);
const LAMP_OFF = yuvOf([176, 178, 180]);
const TAIL_OFF = yuvOf([110, 26, 26]);
const TAIL_ON = yuvOf([236, 60, 48]);

/** Outlines in units of the car's length, to the right and up from the middle of the ground line. */
const BODY = [
  [-0.5, 0.075],
  [-0.495, 0.2],
  [-0.47, 0.245],
  [-0.3, 0.262],
  [0.17, 0.255],
  [0.36, 0.225],
  [0.455, 0.192],
  [0.492, 0.14],
  [0.495, 0.075],
  [0.44, 0.06],
  [-0.46, 0.06],
] as const;
const CABIN = [
  [-0.415, 0.25],
  [-0.315, 0.352],
  [-0.22, 0.375],
  [-0.02, 0.378],
  [0.075, 0.355],
  [0.205, 0.25],
] as const;
const REAR_GLASS = [
  [-0.345, 0.262],
  [-0.285, 0.34],
  [-0.21, 0.357],
  [-0.105, 0.36],
  [-0.105, 0.262],
] as const;
const FRONT_GLASS = [
  [-0.085, 0.262],
  [-0.085, 0.36],
  [-0.02, 0.36],
  [0.06, 0.338],
  [0.145, 0.262],
] as const;
const REFLECTION = [
  [-0.01, 0.36],
  [0.035, 0.348],
  [0.09, 0.262],
  [0.04, 0.262],
] as const;

type Outline = readonly (readonly [number, number])[];

export function drawCar(picture: Picture, pose: CarPose, color: Rgb): void {
  const { x, y, length, heading } = pose;
  const place = (outline: Outline): [number, number][] =>
    outline.map(([across, up]) => [x + across * length * heading, y - up * length]);
  const at = (across: number, up: number): [number, number] => [
    x + across * length * heading,
    y - up * length,
  ];
  picture.footY = y;
  const lit = pose.lamps !== 'off';
  if (lit) picture.glow(at(0.86, -0.01), [length * 0.42, length * 0.085], 1.5);
  picture.glow([x, y + length * 0.005], [length * 0.62, length * 0.07], 0.34);
  picture.glow([x, y - length * 0.02], [length * 0.5, length * 0.05], 0.4);
  const paint = yuvOf(color);
  picture.polygon(place(BODY), paint, 0.5);
  picture.polygon(place(CABIN), yuvOf(scaled(color, 0.92)), 0.25);
  picture.polygon(place(REAR_GLASS), GLASS, 0.6);
  picture.polygon(place(FRONT_GLASS), GLASS, 0.6);
  picture.polygon(place(REFLECTION), SHINE, 0.3);
  const line = (from: [number, number], to: [number, number], width: number, tone: Yuv): void =>
    picture.limb({ from, to, fromRadius: width * length, toRadius: width * length }, tone);
  line(at(-0.46, 0.085), at(0.47, 0.085), 0.012, TRIM);
  line(at(-0.095, 0.25), at(-0.095, 0.1), 0.0025, yuvOf(scaled(color, 0.6)));
  line(at(-0.44, 0.2), at(0.42, 0.19), 0.003, yuvOf(scaled(color, 1.25)));
  line(at(-0.17, 0.215), at(-0.13, 0.215), 0.005, TRIM);
  for (const axle of [-0.305, 0.3]) wheel(picture, at(axle, 0.077), length * 0.078, pose);
  picture.ellipse(at(0.462, 0.165), [length * 0.03, length * 0.02], lit ? HEADLAMP : LAMP_OFF, 0.1);
  if (lit) picture.glow(at(0.48, 0.165), [length * 0.09, length * 0.07], 1.6);
  const tail = pose.lamps === 'braking' ? TAIL_ON : TAIL_OFF;
  picture.ellipse(at(-0.478, 0.2), [length * 0.016, length * 0.026], tail, 0.1);
}

function wheel(
  picture: Picture,
  center: readonly [number, number],
  radius: number,
  { rolled, heading }: CarPose,
): void {
  picture.ellipse(center, [radius * 1.22, radius * 1.2], TRIM, 0);
  picture.ellipse(center, [radius, radius], TYRE);
  picture.ellipse(center, [radius * 0.64, radius * 0.64], RIM);
  for (let spoke = 0; spoke < 5; spoke++) {
    const angle = (spoke / 5) * 2 * Math.PI + (rolled / radius) * heading;
    const to = [
      center[0] + Math.cos(angle) * radius * 0.58,
      center[1] + Math.sin(angle) * radius * 0.58,
    ] as const;
    const thickness = radius * 0.08;
    picture.limb({ from: center, to, fromRadius: thickness, toRadius: thickness }, SPOKE);
  }
}
