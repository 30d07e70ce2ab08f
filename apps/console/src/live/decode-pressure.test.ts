import { DecodePressure } from './decode-pressure.js';

const key = { key: true };
const delta = { key: false };

test('nothing is decoded before a key frame', () => {
  const pressure = new DecodePressure();
  expect(pressure.admit(delta, 0)).toBe(false);
  expect(pressure.admit(key, 0)).toBe(true);
  expect(pressure.admit(delta, 1)).toBe(true);
});

test('the burst of the hot group is decoded through', () => {
  const pressure = new DecodePressure();
  pressure.admit(key, 0);
  for (let queue = 4; queue < 250; queue += 1) expect(pressure.admit(delta, queue)).toBe(true);
});

test('once caught up, a growing queue skips to the next key frame', () => {
  const pressure = new DecodePressure();
  pressure.admit(key, 0);
  expect(pressure.admit(delta, 1)).toBe(true);
  expect(pressure.admit(delta, 31)).toBe(false);
  expect(pressure.admit(delta, 2)).toBe(false);
  expect(pressure.admit(key, 2)).toBe(true);
  expect(pressure.admit(delta, 2)).toBe(true);
});

test('a key frame behind a full queue waits for the next one', () => {
  const pressure = new DecodePressure();
  pressure.admit(key, 0);
  pressure.admit(delta, 1);
  expect(pressure.admit(key, 40)).toBe(false);
  expect(pressure.admit(key, 10)).toBe(true);
});

test('a reset asks for a key frame again', () => {
  const pressure = new DecodePressure();
  pressure.admit(key, 0);
  pressure.reset();
  expect(pressure.admit(delta, 0)).toBe(false);
});
