// Reading fMP4: what holds together is read, what does not is refused and never crashes.

import { NightjarError } from '#base';
import { makeFootage } from './footage.test-support.js';
import { readInit, readSamples } from './fmp4-reader.js';

test('facts and samples are those that were written', async () => {
  const footage = await makeFootage({
    codec: 'h265',
    width: 320,
    height: 180,
    fps: 10,
    seconds: 2,
  });
  const track = readInit(footage.init);
  expect(track).toMatchObject({ timescale: 90_000, trackId: 1 });
  expect(track.formats).toHaveLength(1);
  expect(track.formats[0]).toMatchObject({ codec: 'h265', width: 320, height: 180 });
  const samples = footage.fragments.flatMap((fragment) => readSamples(fragment, track));
  expect(samples.map(({ dts, duration }) => [dts, duration])).toEqual(
    Array.from({ length: 20 }, (_, index) => [index * 9000, 9000]),
  );
  expect(samples.flatMap(({ key }, index) => (key ? [index] : []))).toEqual([0, 10]);
});

test('changed bytes give samples or data loss, and nothing else', async () => {
  const footage = await makeFootage({ width: 128, height: 96, fps: 5, seconds: 1 });
  const fragment = footage.fragments[0]!;
  let seed = 20_261_121;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 3000; round++) {
    const init = Buffer.from(footage.init);
    const changed = Buffer.from(fragment.subarray(0, round % 3 === 0 ? random(300) : undefined));
    for (let flip = 0; flip < 3; flip++) {
      if (round % 2 === 0) init[random(init.length)] = random(256);
      else if (changed.length > 0) changed[random(Math.min(changed.length, 300))] = random(256);
    }
    try {
      const samples = readSamples(changed, readInit(init));
      for (const { data } of samples) expect(data.byteLength).toBeLessThanOrEqual(changed.length);
    } catch (error) {
      expect(error).toBeInstanceOf(NightjarError);
      expect(['data-loss', 'unsupported']).toContain((error as NightjarError).code);
    }
  }
});
