// Stills: the right picture, its colours, its size, and memory that comes back.

import { silentLog } from '#base';
import { AV_CODEC_ID_MJPEG } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { makeFootage } from './footage.test-support.js';
import { readInit, readSamples } from './fmp4-reader.js';
import { checked } from './native.js';
import { Transcoder } from './transcoder.js';

const transcoder = new Transcoder({ log: silentLog(), concurrency: 2 });
afterAll(() => transcoder.close());

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Mean of a patch in the upper left corner, as the JPEG holds it: full range, BT.601. */
  readonly corner: readonly number[];
}

async function decodeJpeg(jpeg: Buffer): Promise<Pixels> {
  const context = new CodecContext();
  const packet = new Packet();
  const frame = new Frame();
  const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG)!;
  context.allocContext3(codec);
  packet.alloc();
  frame.alloc();
  try {
    checked(await context.open2(codec), 'opening the JPEG decoder');
    packet.data = jpeg;
    checked(await context.sendPacket(packet), 'decoding');
    checked(await context.receiveFrame(frame), 'decoding');
    const corner = (frame.data ?? []).map((plane, which) => {
      const stride = frame.linesize[which]!;
      let sum = 0;
      for (let y = 1; y < 5; y++) for (let x = 1; x < 5; x++) sum += plane[y * stride + x]!;
      return Math.round(sum / 16);
    });
    return { width: frame.width, height: frame.height, corner };
  } finally {
    packet.free();
    frame.free();
    context.freeContext();
  }
}

const off = (value: number, expected: number) => Math.abs(value - expected);

test('a still is the last picture of its fragment, in the order of showing', async () => {
  const marker = (picture: number) => 30 + picture * 8;
  const footage = await makeFootage({ fps: 20, seconds: 1, bFrames: 2, marker });
  const track = readInit(footage.init);
  const samples = readSamples(footage.fragments[0]!, track);
  for (const wanted of [0, 3, 7, 14]) {
    // The fragment as a recorder would cut it: up to and including the wanted sample.
    const fragment = Buffer.from(footage.fragments[0]!);
    const trun = fragment.indexOf('trun', 0, 'latin1');
    fragment.writeUInt32BE(wanted + 1, trun + 8);
    const sample = samples[wanted]!;
    const shown = Math.round((sample.pts - samples[0]!.pts) / 4500);
    const jpeg = await transcoder.still({ init: footage.init, fragment, height: 180 });
    const { corner } = await decodeJpeg(jpeg);
    const full = ((marker(shown) - 16) * 255) / 219;
    expect(off(corner[0]!, full)).toBeLessThanOrEqual(4);
  }
});

test('a still has full range and the matrix of JPEG, whatever the footage has', async () => {
  // Studio black and white become 0 and 255.
  const black = await makeFootage({ seconds: 1, fps: 5, flat: [16, 128, 128] });
  const white = await makeFootage({ seconds: 1, fps: 5, flat: [235, 128, 128] });
  const cornerOf = async (footage: typeof black) => {
    const [fragment] = footage.fragments;
    const jpeg = await transcoder.still({ init: footage.init, fragment: fragment!, height: 180 });
    return (await decodeJpeg(jpeg)).corner;
  };
  expect((await cornerOf(black))[0]).toBeLessThanOrEqual(2);
  expect((await cornerOf(white))[0]).toBeGreaterThanOrEqual(253);
  // The same numbers mean another colour in high definition, which is BT.709.
  const coloured = { seconds: 1, fps: 2, flat: [100, 90, 200] as const };
  const low = await cornerOf(await makeFootage({ ...coloured, width: 640, height: 360 }));
  const high = await cornerOf(await makeFootage({ ...coloured, width: 1280, height: 720 }));
  expect(off(low[0]!, ((100 - 16) * 255) / 219)).toBeLessThanOrEqual(4);
  expect(off(high[0]!, 108)).toBeLessThanOrEqual(4);
  expect(off(high[1]!, 76)).toBeLessThanOrEqual(4);
  expect(off(high[2]!, 212)).toBeLessThanOrEqual(4);
});

test('a still keeps the aspect and is never larger than the footage', async () => {
  const footage = await makeFootage({ width: 512, height: 288, seconds: 1, fps: 5 });
  const sizeAt = async (height: number) => {
    const [fragment] = footage.fragments;
    const jpeg = await transcoder.still({ init: footage.init, fragment: fragment!, height });
    const { width, height: lines } = await decodeJpeg(jpeg);
    return [width, lines];
  };
  expect(await sizeAt(90)).toEqual([160, 90]);
  expect(await sizeAt(2160)).toEqual([512, 288]);
});

test('H.265 gives stills, damaged footage the last that decodes, rubbish none', async () => {
  const footage = await makeFootage({ codec: 'h265', seconds: 1, fps: 10 });
  const fragment = Buffer.from(footage.fragments[0]!);
  const { init } = footage;
  const samples = readSamples(fragment, readInit(init));
  samples.at(-1)!.data.fill(0xa5, 4);
  expect((await transcoder.still({ init, fragment, height: 180 })).length).toBeGreaterThan(500);
  for (const sample of samples) sample.data.fill(0xff);
  await expect(transcoder.still({ init, fragment, height: 180 })).rejects.toMatchObject({
    code: 'data-loss',
  });
  await expect(
    transcoder.still({ init, fragment: fragment.subarray(0, 200), height: 180 }),
  ).rejects.toMatchObject({ code: 'data-loss' });
});

test('200 stills leave no memory behind', async () => {
  const footage = await makeFootage({ width: 1280, height: 720, seconds: 1, fps: 3 });
  const [fragment] = footage.fragments;
  const take = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await transcoder.still({ init: footage.init, fragment: fragment!, height: 360 });
    }
    return process.memoryUsage.rss() / 1_048_576;
  };
  const beforeMb = await take(40);
  const afterMb = await take(200);
  // A picture of this size is 1.3 MB: 200 lost ones would be 260.
  expect(afterMb - beforeMb).toBeLessThan(60);
});
