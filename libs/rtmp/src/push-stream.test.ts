// Publishers, right and wrong, on real sockets.

import { connect } from 'node:net';
import { eventually, FakeClock } from '#base/testing';
import {
  H264_LARGE_SPS,
  H264_PPS,
  H264_SPS,
  H265_PPS,
  H265_SPS,
  H265_VPS,
  hex,
  seeded,
  slice,
} from '../../rtsp/src/packets.test-support.js';
import { MESSAGE } from './messages.js';
import { readAmf } from './amf.js';
import {
  accessUnit,
  chunks,
  command,
  configurationRecord,
  number,
  tag,
} from './messages.test-support.js';
import { KEY, openStream } from './publisher.test-support.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Parameters<typeof openStream>[0] = {}) {
  const opened = await openStream(options);
  cleanups.push(opened.close);
  return opened;
}

test('H.264 arrives unit by unit, sets in front of key frames, with its times', async () => {
  const { come, sink, starts, stream } = await open();
  const publisher = come();
  expect(await publisher.publish(KEY)).toMatchObject({ code: 'NetStream.Publish.Start' });
  publisher.configure('h264');
  const key = publisher.picture('h264', true, 1000);
  const next = publisher.picture('h264', false, 1040, 20_000);
  await eventually('two pictures', () => sink.frames.length === 2);
  expect(sink.frames.map(({ units }) => units)).toEqual([hex(H264_SPS, H264_PPS, key), hex(next)]);
  expect((sink.frames[1]?.pts90k ?? 0) - (sink.frames[0]?.pts90k ?? 0)).toBe(3600);
  expect(starts).toHaveLength(1);
  expect(starts[0]).toMatchObject({
    server: 'FMLE/3.0 (test)',
    format: { codec: 'h264', width: 640 },
  });
  expect(stream.counters).toMatchObject({ connects: 1, frames: 2, packets: 3 });
});

test('pictures that are shown later than decoded have their composition time, over the wrap', async () => {
  const { come, sink } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  const base = 0xffff_ffff - 60;
  const send = (key: boolean, at: number, offsetMs: number) =>
    publisher.video(
      tag.shown(offsetMs, tag.legacy('h264', 1, key, accessUnit(slice('h264', key, 99, at + 1)))),
      { timestamp: (base + at) % 2 ** 32 },
    );
  send(true, 0, 80);
  send(false, 40, 120);
  send(false, 80, -40);
  send(false, 120, 40);
  await eventually('four pictures', () => sink.frames.length === 4);
  const first = sink.frames[0]?.pts90k ?? 0;
  expect(sink.frames.map(({ pts90k }) => (pts90k - first) / 90)).toEqual([0, 80, -40, 80]);
});

test.each(['legacy', 'enhanced', 'enhanced without times', 'enhanced with modifiers'])(
  'H.265, %s',
  async (form) => {
    const { come, sink, starts } = await open();
    const publisher = come();
    await publisher.publish(KEY);
    const record = configurationRecord('h265');
    const unit = slice('h265', true, 3000, 5);
    const body = accessUnit(unit);
    const timed = Buffer.concat([Buffer.of(0, 0, 0), body]);
    if (form === 'legacy') {
      publisher.configure('h265');
      publisher.video(tag.legacy('h265', 1, true, body), { timestamp: 40 });
    } else {
      publisher.video(tag.enhanced('hvc1', 0, true, record));
      const modified = Buffer.concat([
        // ModEx of 3 bytes (a finer time), then coded frames.
        Buffer.of(0x97, 2, 0, 0, 9, 0x01),
        Buffer.from('hvc1'),
        timed,
      ]);
      const frame = {
        enhanced: tag.enhanced('hvc1', 1, true, timed),
        'enhanced without times': tag.enhanced('hvc1', 3, true, body),
        'enhanced with modifiers': modified,
      }[form];
      publisher.video(frame ?? body, { timestamp: 40 });
    }
    await eventually('a picture', () => sink.frames.length === 1);
    expect(sink.frames[0]?.units).toEqual(hex(H265_VPS, H265_SPS, H265_PPS, unit));
    expect(starts[0]?.format).toMatchObject({ codec: 'h265', width: 640, height: 360 });
  },
);

test('a new configuration changes the format at the next key frame', async () => {
  const { come, sink, formats } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  publisher.video(
    tag.legacy('h264', 0, true, configurationRecord('h264', [H264_LARGE_SPS, H264_PPS])),
  );
  const key = publisher.picture('h264', true, 40);
  await eventually('two pictures', () => sink.frames.length === 2);
  expect(formats).toMatchObject([{ width: 1920, height: 1080 }]);
  expect(sink.frames[1]?.units).toEqual(hex(H264_LARGE_SPS, H264_PPS, key));
});

test('slices of a picture that come in messages of their own are put together', async () => {
  const { come, sink } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  const later = slice('h264', true, 200, 9);
  // first_mb_in_slice is not 0.
  later[1] = 0x48;
  for (let at = 0; at < 5; at++) {
    const first = slice('h264', true, 300, at + 1);
    for (const unit of [first, later]) {
      publisher.video(tag.legacy('h264', 1, true, accessUnit(unit)), { timestamp: at * 40 });
    }
  }
  await eventually('what was learned', () => sink.frames.length === 4);
  const pictures = sink.frames.slice(1).map(({ units }) => units.slice(2));
  expect(pictures).toEqual([2, 3, 4].map((seed) => hex(slice('h264', true, 300, seed), later)));
});

test('damaged lengths lose their picture and nothing else', async () => {
  const { come, sink, stream } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  const whole = accessUnit(slice('h264', false, 300, 1));
  publisher.video(tag.legacy('h264', 1, false, whole.subarray(0, 200)), { timestamp: 40 });
  publisher.picture('h264', true, 80);
  await eventually('the next key frame', () => sink.frames.length === 2);
  expect(stream.counters.malformedPackets).toBe(1);
});

test('a key that no camera has is refused in words; tries become slow, the right key does not', async () => {
  const clock = new FakeClock();
  const { come, door } = await open({ clock });
  for (let attempt = 0; attempt < 3; attempt++) {
    const stranger = come();
    expect(await stranger.publish('a-key-of-nobody-at-all')).toMatchObject({
      level: 'error',
      code: 'NetStream.Publish.BadName',
      description: expect.stringContaining('no camera has this stream key'),
    });
    await eventually('the end', () => stranger.closed);
  }
  const slow = come();
  await slow.handshake();
  slow.write(command('connect', 1, { app: 'live' }), command('publish', 5, null, 'guess', 'live'));
  await slow.answer('_result');
  // By now the key was read: the right one, sent later, is answered.
  expect(await come().publish(KEY)).toMatchObject({ code: 'NetStream.Publish.Start' });
  expect(slow.commands.some(([name]) => name === 'onStatus')).toBe(false);
  clock.advance(500);
  expect(await slow.statusFacts()).toMatchObject({ level: 'error' });
  // The far end's sockets close by themselves; the door forgets them.
  clock.advance(1000);
  await eventually('one session', () => door.sessions === 1);
});

test.each([
  ['live', KEY],
  ['live', `${KEY}?token=1`],
  [`live/${KEY}`, ''],
  ['', `live/${KEY}`],
])('the address may be cut as app "%s" and name "%s"', async (app, name) => {
  const { come } = await open();
  expect(await come().publish(name, app)).toMatchObject({ code: 'NetStream.Publish.Start' });
});

test('a second publisher is refused, unless the first is silent', async () => {
  const clock = new FakeClock();
  const { come, sink, ends, starts } = await open({ clock, stallMs: 60_000 });
  const first = come();
  await first.publish(KEY);
  first.configure('h264');
  first.picture('h264', true, 0);
  await eventually('its picture', () => sink.frames.length === 1);
  const second = come();
  expect(await second.publish(KEY)).toMatchObject({
    level: 'error',
    description: 'somebody publishes to this address already',
  });
  first.picture('h264', false, 40);
  await eventually('its next picture', () => sink.frames.length === 2);
  clock.advance(5000);
  const third = come();
  expect(await third.publish(KEY)).toMatchObject({ code: 'NetStream.Publish.Start' });
  third.configure('h264');
  third.picture('h264', true, 0);
  await eventually('its picture', () => sink.frames.length === 3);
  expect(starts).toHaveLength(2);
  expect(ends.map(({ reason }) => reason)).toEqual(['closed-by-camera']);
  await eventually('the end of the first', () => first.closed);
});

test('says that nobody publishes, and who stopped', async () => {
  const clock = new FakeClock();
  const { come, sink, ends } = await open({ clock });
  clock.advance(5000);
  clock.advance(60_000);
  expect(ends).toEqual([{ reason: 'unreachable', message: 'nobody publishes to this address' }]);
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  await eventually('a picture', () => sink.frames.length === 1);
  publisher.write(command('deleteStream', 6, null, 1));
  await eventually('the end', () => ends.length === 2);
  expect(ends[1]).toEqual({
    reason: 'closed-by-camera',
    message: 'the publisher stopped publishing; nobody publishes to this address',
  });
});

test('a publisher without whole pictures is told so and hung up on', async () => {
  const clock = new FakeClock();
  const { come, sink, ends, stream } = await open({ clock });
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  await eventually('a picture', () => sink.frames.length === 1);
  clock.advance(9000);
  expect(ends).toEqual([]);
  clock.advance(2000);
  expect(ends).toMatchObject([{ reason: 'stalled' }]);
  expect(stream.counters.disconnects).toEqual({ stalled: 1 });
  await eventually('a word', () => publisher.commands.filter(([name]) => name === 'onStatus')[1]);
  clock.advance(1000);
  await eventually('the end', () => publisher.closed);
});

test('another codec in the middle ends the publication', async () => {
  const { come, sink, ends } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  await eventually('a picture', () => sink.frames.length === 1);
  publisher.configure('h265');
  await eventually('the end', () => ends.length > 0);
  expect(ends[0]?.message).toMatch(/changed from h264 to h265/);
});

test('a codec that nobody records is named', async () => {
  const { come, ends } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.video(tag.enhanced('av01', 0, true, Buffer.alloc(20)));
  await eventually('the end', () => ends.length > 0);
  expect(ends[0]).toMatchObject({ reason: 'unsupported-stream' });
  expect(ends[0]?.message).toMatch(/found av01/);
});

test('nobody is played to', async () => {
  const { come } = await open();
  const viewer = come();
  await viewer.handshake();
  viewer.write(command('connect', 1, { app: 'live' }), command('play', 2, null, KEY));
  expect(await viewer.statusFacts()).toMatchObject({ code: 'NetStream.Play.Failed' });
  await eventually('the end', () => viewer.closed);
});

test('stop tells who publishes, closes the port and is the last word', async () => {
  const { come, stream, ends, door, sink, port } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  publisher.picture('h264', true, 0);
  await eventually('a picture', () => sink.frames.length === 1);
  await stream.stop();
  expect(ends).toEqual([{ reason: 'stopped', message: 'the stream was stopped' }]);
  await eventually('the end', () => publisher.closed);
  expect(door.port).toBeUndefined();
  const late = connect(port, '127.0.0.1');
  const outcome = new Promise((resolve) => {
    late.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    late.once('connect', () => resolve('connected'));
  });
  expect(await outcome).toBe('ECONNREFUSED');
});

test('who says nothing, or a byte now and then, is hung up on', async () => {
  const clock = new FakeClock();
  const { come, door } = await open({ clock });
  const silent = come();
  const slow = come();
  slow.write(Buffer.of(3, 0, 0));
  await eventually('both', () => door.sessions === 2);
  for (let second = 0; second < 9; second++) {
    clock.advance(1000);
    slow.write(Buffer.of(0));
  }
  expect(door.sessions).toBe(2);
  clock.advance(1000);
  await eventually('the ends', () => silent.closed && slow.closed);
  expect(door.sessions).toBe(0);
});

test('strangers of one address are few, and leave room for a key', async () => {
  const { come, door } = await open();
  const strangers = Array.from({ length: 20 }, () => come());
  await eventually(
    'most are turned away',
    () => strangers.filter(({ closed }) => closed).length === 12,
  );
  expect(door.sessions).toBe(8);
  strangers.find(({ closed }) => !closed)?.socket.destroy();
  await eventually('a free place', () => door.sessions === 7);
  expect(await come().publish(KEY)).toMatchObject({ code: 'NetStream.Publish.Start' });
});

test.each([
  ['no RTMP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['TLS', Buffer.of(0x16, 3, 1, 0, 5)],
])('%s is hung up on at once', async (_, bytes) => {
  const { come } = await open();
  const stranger = come();
  stranger.write(bytes);
  await eventually('the end', () => stranger.closed);
});

test.each([
  ['a chunk size of 0', number(MESSAGE.setChunkSize, 0)],
  ['a message of 16 MB', chunks(MESSAGE.video, Buffer.alloc(0xff_ffff)).subarray(0, 200)],
  ['a command that is none', chunks(MESSAGE.command, Buffer.of(2, 255, 255))],
])('%s ends the publication and says so', async (_, bytes) => {
  const { come, ends, door } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  publisher.write(bytes);
  await eventually('the end', () => ends.length > 0 && publisher.closed);
  expect(ends[0]).toMatchObject({ reason: 'protocol' });
  expect(door.sessions).toBe(0);
});

test('a stranger may not send as much as a publisher', async () => {
  const { come, door } = await open();
  const stranger = come();
  await stranger.handshake();
  stranger.write(chunks(MESSAGE.video, Buffer.alloc(70_000)));
  await eventually('the end', () => stranger.closed);
  expect(door.sessions).toBe(0);
});

test('who floods is told so and hung up on, with a key or without', async () => {
  // Time stands still: whatever comes, comes at once.
  const { come, ends, stream, door } = await open({ clock: new FakeClock() });
  const publisher = come();
  await publisher.publish(KEY);
  publisher.configure('h264');
  const picture = tag.legacy('h264', 1, true, accessUnit(slice('h264', true, 1_000_000, 1)));
  const send = () => publisher.socket.writable && publisher.video(picture);
  for (let index = 0; index < 20; index++) send();
  await eventually('twenty pictures', () => stream.counters.frames === 20);
  for (let index = 0; index < 40; index++) send();
  await eventually('the end', () => ends.length > 0);
  expect(ends[0]?.reason).toBe('protocol');
  expect(ends[0]?.message).toMatch(/floods/);

  const stranger = come();
  await stranger.handshake();
  const nothing = command('getStreamLength', 7, null, 'x'.repeat(1000));
  for (let index = 0; index < 1000; index++) stranger.write(nothing);
  await eventually('nobody', () => stranger.closed && door.sessions === 0);
});

test('an acknowledgement comes in time, a ping is answered', async () => {
  const { come, sink } = await open();
  const publisher = come();
  await publisher.publish(KEY);
  const before = publisher.received;
  publisher.write(chunks(MESSAGE.userControl, Buffer.of(0, 6, 1, 2, 3, 4), { chunkStream: 2 }));
  await eventually('the answer', () => publisher.received === before + 18);
  publisher.configure('h264');
  publisher.picture('h264', true, 0, 2_000_000);
  await eventually('the picture', () => sink.frames.length === 1);
  await eventually('an acknowledgement', () => publisher.received === before + 18 + 16);
});

test('a port that another program has is told of, and taken once it is free', async () => {
  const clock = new FakeClock();
  const taken = await open();
  const { PushDoor } = await import('./push-door.js');
  const { silentLog } = await import('#base');
  const door = new PushDoor({ host: '127.0.0.1', port: taken.port, clock, log: silentLog() });
  cleanups.push(() => door.close());
  door.add(KEY, { offer: () => 'no' });
  await eventually('the fault', () => door.fault);
  expect(door.fault).toMatch(/another program has it/);
  await taken.close();
  clock.advance(5000);
  expect(await eventually('the port', () => door.port)).toBe(taken.port);
  expect(door.fault).toBeUndefined();
});

test('bytes changed anywhere end a publication or lose pictures, and never the door', async () => {
  const random = seeded(7);
  const { come, door, sink } = await open();
  const good = Buffer.concat([
    command('connect', 1, { app: 'live', flashVer: 'x' }),
    command('createStream', 4, null),
    command('publish', 5, null, KEY, 'live'),
    chunks(MESSAGE.video, tag.legacy('h264', 0, true, configurationRecord('h264'))),
    ...[0, 40, 80].map((timestamp) =>
      chunks(
        MESSAGE.video,
        tag.legacy('h264', 1, timestamp === 0, accessUnit(slice('h264', timestamp === 0, 400, 3))),
        { timestamp, chunkStream: 6 },
      ),
    ),
  ]);
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(good);
    for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const publisher = come();
    await publisher.handshake();
    publisher.socket.end(bytes);
    await eventually('the end', () => publisher.closed && door.sessions === 0);
    expect(door.bufferBytes).toBe(0);
  }
  const framesBefore = sink.frames.length;
  expect(framesBefore).toBeGreaterThan(0);
  const last = come();
  expect(await last.publish(KEY)).toMatchObject({ code: 'NetStream.Publish.Start' });
  last.configure('h264');
  last.picture('h264', true, 0);
  await eventually('a picture', () => sink.frames.length > framesBefore);
});

test('values that nest or repeat without end are refused', () => {
  expect(() => readAmf(Buffer.alloc(3 * 40, Buffer.of(3, 0, 0)))).toThrow(/expected AMF0/);
  expect(() => readAmf(Buffer.of(10, 255, 255, 255, 255))).toThrow(/expected AMF0/);
  expect(() => readAmf(Buffer.alloc(5000, 5))).toThrow(/too many values/);
  const [object] = readAmf(Buffer.from('0300095f5f70726f746f5f5f030000090000' + '09', 'hex'));
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
});
