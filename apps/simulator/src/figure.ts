// A person, as a camera on a wall sees one: head, torso, arms and legs that walk.

import type { Picture, Rgb, Yuv } from './picture.js';
import { yuvOf } from './picture.js';
import { scaled } from './texture.js';

export interface Clothing {
  readonly coat: Rgb;
  readonly trousers: Rgb;
  readonly skin: Rgb;
  readonly hair: Rgb;
}

export interface Stance {
  /** Where the feet meet the ground. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  /** Steps walked; a step is half a turn of the legs. */
  readonly steps: number;
  /** -1 walks to the left, 1 to the right, 0 comes or goes. */
  readonly heading: number;
  /** 0 stands, 1 walks. */
  readonly stride: number;
  /** True when seen from behind. */
  readonly away?: boolean;
}

export const WARDROBE: readonly Clothing[] = [
  { coat: [52, 66, 92], trousers: [38, 40, 46], skin: [196, 150, 122], hair: [44, 34, 28] },
  { coat: [128, 48, 42], trousers: [58, 62, 74], skin: [214, 168, 138], hair: [92, 66, 40] },
  { coat: [96, 100, 92], trousers: [42, 44, 58], skin: [122, 86, 64], hair: [22, 20, 20] },
  { coat: [176, 170, 156], trousers: [52, 50, 54], skin: [206, 160, 132], hair: [120, 116, 110] },
  { coat: [38, 84, 70], trousers: [78, 72, 62], skin: [162, 116, 86], hair: [30, 24, 22] },
  { coat: [70, 58, 96], trousers: [34, 36, 42], skin: [220, 178, 150], hair: [150, 112, 60] },
];

const STRIDE_ANGLE = 0.46;

export function drawFigure(picture: Picture, stance: Stance, clothing: Clothing): void {
  const { x, y, height: h, heading, stride } = stance;
  const swing = Math.sin(stance.steps * Math.PI) * stride;
  const bob = Math.abs(Math.cos(stance.steps * Math.PI)) * 0.012 * h * stride;
  const hip = [x, y - h * 0.5 - bob] as const;
  const shoulder = [x + heading * h * 0.015 * stride, y - h * 0.8 - bob] as const;
  const spread = heading === 0 ? h * 0.045 : h * 0.012;
  const dark = yuvOf(scaled(clothing.trousers, 0.8));
  const near = yuvOf(clothing.trousers);
  const sleeve = yuvOf(scaled(clothing.coat, 0.78));
  const skin = yuvOf(clothing.skin);

  picture.footY = y;
  picture.glow([x + h * 0.16, y + h * 0.005], [h * 0.36, h * 0.055], 0.5);
  picture.glow([x, y], [h * 0.17, h * 0.04], 0.45);
  leg(picture, { hip: [hip[0] - spread, hip[1]], h, angle: -swing * STRIDE_ANGLE, heading }, dark);
  arm(
    picture,
    { from: [shoulder[0] - spread * 1.9, shoulder[1]], h, swing, heading },
    sleeve,
    skin,
  );
  leg(picture, { hip: [hip[0] + spread, hip[1]], h, angle: swing * STRIDE_ANGLE, heading }, near);

  const coat = yuvOf(clothing.coat);
  const half = heading === 0 ? 0.055 : 0.03;
  for (const side of [-half, 0, half]) {
    picture.limb(
      {
        from: [shoulder[0] + side * h * 1.1, shoulder[1] + h * 0.045],
        to: [hip[0] + side * h * 0.85, hip[1] + h * 0.05],
        fromRadius: h * 0.058,
        toRadius: h * 0.062,
      },
      coat,
    );
  }
  const neck = [shoulder[0] + heading * h * 0.012, shoulder[1] - h * 0.03] as const;
  picture.limb(
    { from: neck, to: [neck[0], neck[1] - h * 0.05], fromRadius: h * 0.03, toRadius: h * 0.03 },
    skin,
  );
  const head = [neck[0] + heading * h * 0.01, shoulder[1] - h * 0.115] as const;
  picture.ellipse(head, [h * 0.05, h * 0.068], skin);
  const hair = yuvOf(clothing.hair);
  if (stance.away === true)
    picture.ellipse([head[0], head[1] - h * 0.008], [h * 0.052, h * 0.064], hair);
  else {
    picture.ellipse(
      [head[0] - heading * h * 0.016, head[1] - h * 0.028],
      [h * 0.053, h * 0.046],
      hair,
    );
  }
  arm(
    picture,
    { from: [shoulder[0] + spread * 1.9, shoulder[1]], h, swing: -swing, heading },
    sleeve,
    skin,
  );
}

interface Leg {
  readonly hip: readonly [number, number];
  readonly h: number;
  readonly angle: number;
  readonly heading: number;
}

function leg(picture: Picture, { hip, h, angle, heading }: Leg, color: Yuv): void {
  // Seen from the front, a swinging leg gets shorter instead of moving sideways.
  const across = heading === 0 ? 0 : heading;
  const lift = heading === 0 ? Math.max(0, -angle) * 0.12 : 0;
  const thigh = h * 0.245;
  const knee = [
    hip[0] + Math.sin(angle) * thigh * across,
    hip[1] + Math.cos(angle) * thigh * (1 - lift),
  ] as const;
  const bend = angle < 0 ? angle * 1.5 : angle * 0.55;
  const shin = h * 0.235;
  const ankle = [
    knee[0] + Math.sin(bend) * shin * across,
    knee[1] + Math.cos(bend) * shin * (1 - lift * 2),
  ] as const;
  picture.limb({ from: hip, to: knee, fromRadius: h * 0.05, toRadius: h * 0.038 }, color);
  picture.limb({ from: knee, to: ankle, fromRadius: h * 0.037, toRadius: h * 0.025 }, color);
  const toe = [ankle[0] + across * h * 0.05, ankle[1] + h * 0.012] as const;
  picture.limb({ from: ankle, to: toe, fromRadius: h * 0.022, toRadius: h * 0.018 }, SHOES);
}

const SHOES = yuvOf([34, 30, 28]);

interface Arm {
  readonly from: readonly [number, number];
  readonly h: number;
  readonly swing: number;
  readonly heading: number;
}

function arm(picture: Picture, { from, h, swing, heading }: Arm, sleeve: Yuv, skin: Yuv): void {
  const across = heading === 0 ? 0.25 : heading;
  const top = [from[0], from[1] + h * 0.03] as const;
  const elbow = [top[0] + Math.sin(swing * 0.45) * h * 0.16 * across, top[1] + h * 0.155] as const;
  const wrist = [
    elbow[0] + Math.sin(swing * 0.45 + 0.25) * h * 0.15 * across,
    elbow[1] + h * 0.135,
  ] as const;
  picture.limb({ from: top, to: elbow, fromRadius: h * 0.034, toRadius: h * 0.028 }, sleeve);
  picture.limb({ from: elbow, to: wrist, fromRadius: h * 0.028, toRadius: h * 0.022 }, sleeve);
  picture.ellipse(wrist, [h * 0.023, h * 0.026], skin);
}
