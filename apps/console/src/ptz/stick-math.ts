// From a stick's deflection to PTZ speeds, and the merging of pointer, keys and gamepad.

import type { PtzMove } from '#contract';

export const STILL: PtzMove = { pan: 0, tilt: 0, zoom: 0 };

/** Below this a stick counts as centred; hands and old gamepads are never exactly at zero. */
const DEAD_ZONE = 0.12;
const KEY_SPEED = 0.6;

const round = (value: number): number => Math.round(value * 100) / 100;
const limit = (value: number): number => Math.max(-1, Math.min(1, value));

/**
 * A deflection of -1..1 on both axes (y down) as pan and tilt (up positive): nothing inside the
 * dead zone, then squared, so that small movements are fine ones.
 */
export function stickToMove(x: number, y: number): Pick<PtzMove, 'pan' | 'tilt'> {
  const length = Math.hypot(x, y);
  if (length < DEAD_ZONE) return { pan: 0, tilt: 0 };
  const live = (Math.min(1, length) - DEAD_ZONE) / (1 - DEAD_ZONE);
  const speed = live ** 2;
  return { pan: round(limit((x / length) * speed)), tilt: round(limit((-y / length) * speed)) };
}

/** Held keys as speeds. */
export function keysToMove(held: ReadonlySet<string>): PtzMove {
  const axis = (plus: string, minus: string) =>
    (held.has(plus) ? KEY_SPEED : 0) - (held.has(minus) ? KEY_SPEED : 0);
  return {
    pan: axis('ArrowRight', 'ArrowLeft'),
    tilt: axis('ArrowUp', 'ArrowDown'),
    zoom: axis('+', '-'),
  };
}

interface PadState {
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly value: number }[];
}

/** The left stick pans and tilts, the triggers zoom (standard mapping). */
export function padToMove(pad: PadState): PtzMove {
  const trigger = (index: number) => {
    const value = pad.buttons[index]?.value ?? 0;
    return value < DEAD_ZONE ? 0 : value;
  };
  return {
    ...stickToMove(pad.axes[0] ?? 0, pad.axes[1] ?? 0),
    zoom: round(limit(trigger(7) - trigger(6))),
  };
}

/** Whoever pushes hardest on an axis has it. */
export function mergeMoves(moves: readonly PtzMove[]): PtzMove {
  const strongest = (axis: keyof PtzMove) =>
    moves.reduce((best, move) => (Math.abs(move[axis]) > Math.abs(best) ? move[axis] : best), 0);
  return { pan: strongest('pan'), tilt: strongest('tilt'), zoom: strongest('zoom') };
}

export const isStill = (move: PtzMove): boolean =>
  move.pan === 0 && move.tilt === 0 && move.zoom === 0;
