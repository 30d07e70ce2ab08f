// Renditions: size, time line, parameter sets, damage, cancelling, and the pass that takes over.

import { NightjarError, silentLog } from '#base';
import { FrameTable, writeFragmentHead } from '#media';
import { X264_PATH } from './encode-path.js';
import { makeFootage, type Footage } from './footage.test-support.js';
import { readInit, readSamples, type SourceSample } from './fmp4-reader.js';
import { RenditionPassError, runRendition } from './rendition.js';
import { Transcoder } from './transcoder.js';

const transcoder = new Transcoder({ log: silentLog(), concurrency: 2 });
afterAll(() => transcoder.close());

interface Rendition {
  readonly init: Buffer;
  readonly parts: readonly Buffer[];
  readonly samples: readonly SourceSample[];
}

async function rendition(footage: Footage, fragment: Buffer, height: number): Promise<Rendition> {
  const parts: Buffer[] = [];
  await transcoder.slice({
    init: footage.init,
    fragment,
    height,
    onPart: (part) => parts.push(part),
  });
  const init = await transcoder.init(footage.init, height);
  return { init, parts, samples: readSamples(Buffer.concat(parts), readInit(init)) };
}

const nalTypes = (sample: SourceSample): number[] => {
  const types: number[] = [];
  const data = Buffer.from(sample.data);
  for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at))
    types.push(data[at + 4]! & 31);
  return types;
};

const endOf = (samples: readonly SourceSample[]) => samples.at(-1)!.dts + samples.at(-1)!.duration;

describe.each(['h264', 'h265'] as const)('a rendition of %s', (codec) => {
  let footage: Footage;
  beforeAll(async () => {
    footage = await makeFootage({ codec, width: 640, height: 360, fps: 25, seconds: 3 });
  });

  test('keeps the time line of every slice, and slices join without a hole', async () => {
    const track = readInit(footage.init);
    let expectedStart: number | undefined;
    for (const fragment of footage.fragments) {
      const source = readSamples(fragment, track);
      const { samples } = await rendition(footage, fragment, 240);
      expect(samples).toHaveLength(source.length);
      expect(samples.map(({ dts, pts, duration }) => ({ dts, pts, duration }))).toEqual(
        source.map(({ dts, pts, duration }) => ({ dts, pts, duration })),
      );
      expectedStart ??= samples[0]!.dts;
      expect(samples[0]!.dts).toBe(expectedStart);
      expectedStart = endOf(samples);
    }
  });

  test('begins every slice with an IDR picture that carries its parameter sets', async () => {
    for (const fragment of footage.fragments) {
      const { samples } = await rendition(footage, fragment, 240);
      expect(samples[0]!.key).toBe(true);
      expect(nalTypes(samples[0]!)).toEqual([7, 8, 5]);
      for (const sample of samples.slice(1)) expect(nalTypes(sample)).toEqual([1]);
    }
  });

  test('has one initialisation for all slices, equal to what the slices carry', async () => {
    const inits = await Promise.all(
      footage.fragments.map(async (fragment) => (await rendition(footage, fragment, 240)).init),
    );
    for (const init of inits) expect(init.equals(inits[0]!)).toBe(true);
    const configuration = Buffer.from(readInit(inits[0]!).formats[0]!.configuration);
    const { samples } = await rendition(footage, footage.fragments[1]!, 240);
    const key = Buffer.from(samples[0]!.data);
    const sps = key.subarray(4, 4 + key.readUInt32BE(0));
    expect(configuration.includes(sps)).toBe(true);
  });

  test('leaves in fragments before the slice is whole', async () => {
    const { parts } = await rendition(footage, footage.fragments[0]!, 240);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts[0]!.toString('latin1', 4, 8)).toBe('styp');
    expect(parts[1]!.toString('latin1', 4, 8)).toBe('moof');
  });
});

test('the size keeps the aspect, is even and never larger than the source', async () => {
  const wide = await makeFootage({ width: 512, height: 288, seconds: 1, fps: 5 });
  const sizeAt = async (height: number) => {
    const { width, height: lines } = readInit(
      (await rendition(wide, wide.fragments[0]!, height)).init,
    ).formats[0]!;
    return [width, lines];
  };
  expect(await sizeAt(240)).toEqual([426, 240]);
  expect(await sizeAt(1080)).toEqual([512, 288]);
});

test('pictures that are shown in another order than they are decoded keep their times', async () => {
  const footage = await makeFootage({ bFrames: 2, seconds: 2 });
  const track = readInit(footage.init);
  for (const fragment of footage.fragments) {
    const source = readSamples(fragment, track);
    expect(source.some(({ dts, pts }) => pts !== dts + (source[0]!.pts - source[0]!.dts))).toBe(
      true,
    );
    const { samples } = await rendition(footage, fragment, 240);
    expect(samples.map(({ pts }) => pts)).toEqual(
      source.map(({ pts }) => pts).sort((a, b) => a - b),
    );
    expect(samples[0]!.dts).toBe(source[0]!.dts);
    expect(endOf(samples)).toBe(endOf(source));
  }
});

test('another timescale is brought to 90 kHz', async () => {
  const footage = await makeFootage({ timescale: 12_800, seconds: 2 });
  const { samples } = await rendition(footage, footage.fragments[1]!, 240);
  expect(samples[0]!.dts).toBe(90_000);
  expect(endOf(samples)).toBe(180_000);
});

test('what decodes of a damaged slice is delivered, over the whole of its time', async () => {
  const footage = await makeFootage({ seconds: 1, fps: 25 });
  const fragment = Buffer.from(footage.fragments[0]!);
  const source = readSamples(fragment, readInit(footage.init));
  for (const sample of source.slice(5, 12)) sample.data.fill(0xa5, 4);
  const parts: Buffer[] = [];
  const result = await transcoder.slice({
    init: footage.init,
    fragment,
    height: 240,
    onPart: (part) => parts.push(part),
  });
  expect(result.pictures).toBeGreaterThanOrEqual(10);
  const init = await transcoder.init(footage.init, 240);
  const samples = readSamples(Buffer.concat(parts), readInit(init));
  expect(samples[0]!.dts).toBe(source[0]!.dts);
  expect(endOf(samples)).toBe(endOf(source));
});

test('a slice of which nothing decodes is data loss, and rubbish is too', async () => {
  const footage = await makeFootage({ seconds: 1, fps: 5 });
  const fragment = Buffer.from(footage.fragments[0]!);
  for (const sample of readSamples(fragment, readInit(footage.init))) sample.data.fill(0xff);
  const onPart = () => undefined;
  await expect(
    transcoder.slice({ init: footage.init, fragment, height: 240, onPart }),
  ).rejects.toMatchObject({ code: 'data-loss' });
  await expect(
    transcoder.slice({ init: Buffer.from('rubbish'), fragment, height: 240, onPart }),
  ).rejects.toMatchObject({ code: 'data-loss' });
});

test('a cancelled rendition ends early', async () => {
  const footage = await makeFootage({ seconds: 4, fps: 25, groupPictures: 100 });
  const controller = new AbortController();
  let parts = 0;
  const running = transcoder.slice({
    init: footage.init,
    fragment: footage.fragments[0]!,
    height: 240,
    signal: controller.signal,
    onPart: () => {
      parts += 1;
      controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(parts).toBeLessThan(8);
  expect(transcoder.status).toMatchObject({ running: 0, waiting: 0 });
});

test('pictures that a cutter kept for decoding only are not shown', async () => {
  const footage = await makeFootage({ seconds: 3 });
  // As a clip that begins between two key frames: what precedes its first picture lasts a tick each.
  const source = readSamples(footage.fragments[0]!, readInit(footage.init));
  const frames = new FrameTable();
  for (const { data, key, duration } of source) {
    frames.addNal(data.byteLength - 4);
    frames.endFrame(key, duration, 0);
  }
  const runs = [{ frames, squeezedBefore: 10 }];
  const head = writeFragmentHead({ sequence: 1, baseDts90k: 0, runs });
  const first = Buffer.concat([head, ...source.map(({ data }) => data)]);
  const parts: Buffer[] = [];
  const result = await transcoder.track({
    init: footage.init,
    height: 240,
    onPart: (part) => parts.push(part),
    async *fragments() {
      yield first;
      yield* footage.fragments.slice(1);
    },
  });
  expect(result.pictures).toBe(footage.pictures - 10);
  const track = readInit(await transcoder.init(footage.init, 240));
  const samples = readSamples(Buffer.concat(parts), track);
  expect(samples[0]).toMatchObject({ dts: 0, pts: 0, key: true });
  expect(endOf(samples)).toBe(3 * 90_000);
});

test('a pass that fails on the way is taken over where it stopped', async () => {
  const footage = await makeFootage({ seconds: 3 });
  const track = readInit(footage.init);
  const parts: Buffer[] = [];
  const pass = {
    path: X264_PATH,
    size: { width: 426, height: 240 },
    threads: 1,
    loopFilter: 'applied' as const,
    signal: new AbortController().signal,
    onPart: (part: Buffer) => parts.push(part),
  };
  const failing = {
    track,
    async *fragments() {
      yield footage.fragments[0]!;
      yield footage.fragments[1]!;
      await new Promise((resolve) => setImmediate(resolve));
      throw new NightjarError('internal', 'the device is gone');
    },
  };
  const whole = {
    track,
    async *fragments() {
      yield* footage.fragments;
    },
  };
  const failure = await runRendition(failing, { ...pass, sampleEntry: 1 }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(RenditionPassError);
  const { delivered } = failure as RenditionPassError;
  expect(delivered).toBeDefined();
  await runRendition(whole, { ...pass, sampleEntry: 1, delivered });
  const samples = readSamples(
    Buffer.concat(parts),
    readInit(await transcoder.init(footage.init, 240)),
  );
  expect(samples.map(({ dts }) => dts)).toEqual(
    Array.from({ length: footage.pictures }, (_, index) => index * 3600),
  );
});
