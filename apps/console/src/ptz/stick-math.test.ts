import { isStill, keysToMove, mergeMoves, padToMove, STILL, stickToMove } from './stick-math.js';

test('the dead zone is still, the rim is full speed, up is positive tilt', () => {
  expect(stickToMove(0.08, -0.08)).toEqual({ pan: 0, tilt: 0 });
  expect(stickToMove(1, 0).pan).toBe(1);
  expect(stickToMove(0, -1).tilt).toBe(1);
  expect(stickToMove(3, 0).pan).toBe(1);
  const half = stickToMove(0.5, 0).pan;
  expect(half).toBeGreaterThan(0.1);
  expect(half).toBeLessThan(0.3);
});

test('keys and their opposites', () => {
  expect(keysToMove(new Set(['ArrowRight', 'ArrowUp']))).toEqual({ pan: 0.6, tilt: 0.6, zoom: 0 });
  expect(isStill(keysToMove(new Set(['ArrowRight', 'ArrowLeft'])))).toBe(true);
});

test('a gamepad with a drifting stick is still, its triggers zoom', () => {
  const buttons = Array.from({ length: 8 }, () => ({ value: 0 }));
  expect(isStill(padToMove({ axes: [0.05, -0.04], buttons }))).toBe(true);
  buttons[7] = { value: 0.5 };
  expect(padToMove({ axes: [0, 0], buttons }).zoom).toBe(0.5);
});

test('the strongest push on each axis wins', () => {
  const merged = mergeMoves([
    STILL,
    { pan: -0.9, tilt: 0.1, zoom: 0 },
    { pan: 0.5, tilt: 0.3, zoom: 1 },
  ]);
  expect(merged).toEqual({ pan: -0.9, tilt: 0.3, zoom: 1 });
});
