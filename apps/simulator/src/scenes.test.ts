// The scenes as a detector sees them: still when they say so, moving when they do not, and looping.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#base';
import { eventually } from '#base/testing';
import { splitAnnexB } from './annex-b.js';
import { ClipCache } from './clip-cache.js';
import { readClipFile } from './clip-file.js';
import { Film } from './film.js';
import { makeClip } from './scene-clip.js';
import { findScene, SCENES } from './scenes.js';
import type { Scene } from './scene.js';

const SIZE = { width: 160, height: 90, fps: 5 };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-simulator-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function sceneOf(name: string): Scene {
  const scene = findScene(name);
  if (scene === undefined) throw new Error(name);
  return scene;
}

const films = new Map<string, Film>();

/** Painted once for all tests. */
function filmOf(name: string): Film {
  const film = films.get(name) ?? new Film(sceneOf(name), SIZE);
  films.set(name, film);
  return film;
}

/** The averages of the 8x8 tiles: noise is gone from them. */
function tilesAt(film: Film, seconds: number): number[] {
  const { y } = film.draw(Math.round(seconds * SIZE.fps));
  const sums = new Array<number>(220).fill(0);
  for (let row = 0; row < 88; row++) {
    for (let column = 0; column < 160; column++) {
      const tile = (row >> 3) * 20 + (column >> 3);
      sums[tile] = (sums[tile] ?? 0) + (y[row * 160 + column] ?? 0) / 64;
    }
  }
  return sums;
}

/** How many tiles differ between two moments by more than noise does. */
function changedTiles(film: Film, fromSeconds: number, toSeconds: number): number {
  const before = tilesAt(film, fromSeconds);
  const after = tilesAt(film, toSeconds);
  return after.filter((sum, tile) => Math.abs(sum - (before[tile] ?? 0)) > 2.5).length;
}

test('people cross the gate, then nothing moves', () => {
  const film = filmOf('gate');
  expect(changedTiles(film, 0, 9)).toBeGreaterThan(3);
  expect(changedTiles(film, 40, 41)).toBeGreaterThan(3);
  expect(changedTiles(film, 18, 33)).toBe(0);
  expect(changedTiles(film, 49, 59)).toBe(0);
});

test('a car comes to the parking and leaves it', () => {
  const film = filmOf('parking');
  expect(changedTiles(film, 0, 9)).toBeGreaterThan(5);
  expect(changedTiles(film, 0, 25)).toBeGreaterThan(5);
  expect(changedTiles(film, 17, 33)).toBe(0);
  expect(changedTiles(film, 0, 50)).toBe(0);
});

test('in the yard only the light changes, little from one second to the next', () => {
  const film = filmOf('yard');
  expect(changedTiles(film, 0, 1)).toBe(0);
  expect(changedTiles(film, 20, 23)).toBe(0);
  expect(changedTiles(film, 0, 15)).toBeGreaterThan(20);
});

test('the lobby is busy nearly all the time', () => {
  const film = filmOf('lobby');
  const seconds = Array.from({ length: 14 }, (_, step) => step * 4 + 1);
  const busy = seconds.filter((second) => changedTiles(film, second, second + 1) > 2);
  expect(busy.length).toBeGreaterThanOrEqual(13);
});

test('a scene that says it is still is, but for noise', () => {
  for (const scene of SCENES.filter((one) => one.isStill !== undefined)) {
    const film = filmOf(scene.name);
    let stillGroups = 0;
    for (let second = 0; second + 2 <= scene.seconds; second += 6) {
      if (scene.isStill?.(second, second + 2) !== true) continue;
      expect([scene.name, second, changedTiles(film, second, second + 2)]).toEqual([
        scene.name,
        second,
        0,
      ]);
      stillGroups += 1;
    }
    expect(stillGroups).toBeGreaterThan(0);
  }
});

test('every loop ends as it begins, and noise never rests but in the static scene', () => {
  for (const scene of SCENES) {
    const film = filmOf(scene.name);
    const jump = changedTiles(film, scene.seconds - 1 / SIZE.fps, 0);
    expect([scene.name, jump < 3]).toEqual([scene.name, true]);
    const first = Buffer.from(film.draw(0).data);
    const isSame = first.equals(film.draw(1).data);
    expect([scene.name, isSame]).toEqual([scene.name, scene.name === 'static']);
  }
});

test.each(['h264', 'h265'] as const)('a made clip in %s has groups as asked for', async (codec) => {
  const clip = await makeClip('gate', { codec, fps: 10, seconds: 2, groupSeconds: 0.5 });
  expect(clip.groups.map((group) => group.frames.length)).toEqual([5, 5, 5, 5]);
  expect(clip.frames.map((frame) => frame.key)).toEqual(
    Array.from({ length: 20 }, (_, n) => n % 5 === 0),
  );
  expect(clip.duration90k).toBe(180_000);
  expect(clip.parameterSets).toHaveLength(codec === 'h264' ? 2 : 3);
  await expect(makeClip('nowhere')).rejects.toMatchObject({ code: 'not-found' });
});

test.each(['h264', 'h265'] as const)('footage in %s is read back from a file', async (codec) => {
  const clip = await makeClip('static', { codec, fps: 10, seconds: 2 });
  const path = join(directory, `clip.${codec}`);
  await writeFile(path, Buffer.concat(clip.frames.map((frame) => frame.data)));
  const read = await readClipFile(path);
  expect(read.description).toMatchObject({ codec, width: 320, height: 180 });
  expect(read.groups).toHaveLength(2);
  const nals = (frames: typeof read.frames): Buffer[] =>
    frames.flatMap((frame) => splitAnnexB(frame.data).map((nal) => Buffer.from(nal)));
  expect(nals(read.frames)).toEqual(nals(clip.frames));
});

test('what is no footage is refused', async () => {
  const path = join(directory, 'text.mp4');
  await writeFile(path, 'this is a text');
  await expect(readClipFile(path)).rejects.toMatchObject({ code: 'not-found' });
  await expect(readClipFile(join(directory, 'nothing'))).rejects.toMatchObject({
    code: 'not-found',
  });
});

test('a scene is filmed once, plays while it is filmed, and is kept', async () => {
  const scene = sceneOf('static');
  const cache = new ClipCache(directory, silentLog());
  const [main, sub] = await Promise.all([cache.load(scene, 'main'), cache.load(scene, 'sub')]);
  expect(main.groups.length).toBeGreaterThan(0);
  expect(sub.description).toMatchObject({ width: 640, height: 360 });
  await eventually(
    'both kept',
    async () => (await readdir(directory)).filter((name) => name.endsWith('.json')).length === 2,
    25_000,
  );
  expect(main.duration90k).toBe(scene.seconds * 90_000);
  cache.close();
  const again = await new ClipCache(directory, silentLog()).load(scene, 'main');
  expect(Buffer.concat(again.frames.map((frame) => frame.data))).toEqual(
    Buffer.concat(main.frames.map((frame) => frame.data)),
  );
});
