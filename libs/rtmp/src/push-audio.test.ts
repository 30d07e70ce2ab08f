// Sound that is pushed: each coding, and whatever is wrong with it costs the picture nothing.

import { eventually, FakeClock } from '#base/testing';
import { KEY, openStream } from './publisher.test-support.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A publication whose picture has begun at 1000 ms. */
async function begun() {
  const opened = await openStream();
  cleanups.push(opened.close);
  const publisher = opened.come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 1000);
  await eventually('a picture', () => opened.sink.frames.length === 1);
  return { ...opened, publisher };
}

const AAC_CONFIG = Buffer.from('af001210', 'hex');
const aac = (seed: number) => Buffer.concat([Buffer.of(0xaf, 1), Buffer.alloc(50, seed)]);
const enhanced = (packet: number, fourCc: string, body: Uint8Array) =>
  Buffer.concat([Buffer.of(0x90 | packet), Buffer.from(fourCc), body]);

test('AAC: whole frames on an even clock, beside the picture', async () => {
  const { publisher, sound, sounds, sink, stream } = await begun();
  publisher.audio(AAC_CONFIG, 1000);
  // 1024 samples at 44 100 Hz, in whole milliseconds.
  [1000, 1023, 1046, 1070, 1093].forEach((at, index) => publisher.audio(aac(index), at));
  await eventually('five frames', () => sound.frames.length === 5);
  expect(sounds).toMatchObject([{ codec: 'aac', sampleRate: 44_100, channels: 2 }]);
  expect(sound.frames.map(({ bytes }) => bytes[0])).toEqual([0, 1, 2, 3, 4]);
  const picture90k = sink.frames[0]?.pts90k ?? 0;
  expect(sound.frames.map(({ pts90k }) => pts90k - picture90k)).toEqual([
    0, 2090, 4180, 6269, 8359,
  ]);
  expect(sound.offsets).toEqual([0]);
  expect(stream.counters.audio).toMatchObject({ packets: 6, frames: 5, dropped: {} });
});

test.each([
  ['A-law', Buffer.of(0x72), undefined, { codec: 'pcma', sampleRate: 8000, channels: 1 }],
  ['mu-law, two channels', Buffer.of(0x83), undefined, { codec: 'pcmu', channels: 2 }],
  [
    'Opus',
    enhanced(1, 'Opus', Buffer.of(0x78)),
    enhanced(0, 'Opus', Buffer.from('OpusHead\u0001\u0002')),
    { codec: 'opus', sampleRate: 48_000, channels: 2 },
  ],
  [
    'AAC by its four letters',
    enhanced(1, 'mp4a', Buffer.of(0x21)),
    enhanced(0, 'mp4a', Buffer.from('1210', 'hex')),
    { codec: 'aac', channels: 2 },
  ],
])('%s', async (_, head, configuration, format) => {
  const { publisher, sound, sounds } = await begun();
  if (configuration !== undefined) publisher.audio(configuration, 1000);
  publisher.audio(Buffer.concat([head, Buffer.alloc(159, 3)]), 1020);
  await eventually('a frame', () => sound.frames.length === 1);
  expect(sounds).toMatchObject([format]);
  expect(sound.bytes.subarray(-159)).toEqual(Buffer.alloc(159, 3));
});

test('the pause between two publications is no jitter', async () => {
  const clock = new FakeClock();
  const opened = await openStream({ clock });
  cleanups.push(opened.close);
  const { stream, come } = opened;
  const play = async (at: number) => {
    const publisher = come();
    await publisher.publish(KEY);
    const { frames } = stream.counters.audio;
    publisher.configure('h264');
    publisher.picture('h264', true, at);
    publisher.audio(AAC_CONFIG, at);
    publisher.audio(aac(1), at);
    await eventually('its sound', () => stream.counters.audio.frames > frames);
    return publisher;
  };
  const first = await play(1000);
  first.socket.destroy();
  await eventually('the end', () => stream.counters.disconnects['closed-by-camera'] === 1);
  clock.advance(60_000);
  await play(1023);
  expect(stream.counters.audio.jitter.ms).toBe(0);
});

test('what cannot be taken is counted, and the picture goes on', async () => {
  const { publisher, sound, sounds, sink, stream } = await begun();
  publisher.audio(aac(1), 1000);
  publisher.audio(Buffer.concat([Buffer.of(0x2f), Buffer.alloc(40)]), 1000);
  publisher.audio(Buffer.of(0xaf), 1000);
  publisher.audio(Buffer.from('af00ffff', 'hex'), 1000);
  publisher.audio(AAC_CONFIG, 1000);
  publisher.audio(aac(2), 1023);
  publisher.audio(Buffer.from('af001190', 'hex'), 1040);
  publisher.audio(aac(3), 1046);
  publisher.picture('h264', false, 1040);
  await eventually('the next picture', () => sink.frames.length === 2);
  expect(sounds).toHaveLength(1);
  expect(sound.frames).toHaveLength(1);
  expect(stream.counters.audio).toMatchObject({
    frames: 1,
    malformedPackets: 1,
    dropped: { 'before-configuration': 1, unsupported: 1, 'format-changed': 1 },
  });
});

test('MP3 is named, with what to do about it, when it comes before the picture', async () => {
  const opened = await openStream();
  cleanups.push(opened.close);
  const publisher = opened.come();
  await publisher.publish(KEY);
  publisher.audio(Buffer.concat([Buffer.of(0x2f), Buffer.alloc(40)]), 0);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  await eventually('the picture', () => opened.starts.length === 1);
  expect(opened.starts[0]).toMatchObject({
    audio: 'MP3',
    audioFault: "MP3 is not recorded; choose AAC in the publisher's settings",
  });
});
