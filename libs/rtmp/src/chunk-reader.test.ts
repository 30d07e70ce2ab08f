// Chunks cut anywhere, of every form, right and wrong.

import { seeded } from '../../rtsp/src/packets.test-support.js';
import { ChunkReader } from './chunk-reader.js';
import { chunks } from './messages.test-support.js';

const MAX = 1 << 20;

function reading(maxBytes = MAX) {
  const seen: { type: number; timestamp: number; payload: string }[] = [];
  const aborted: number[] = [];
  const reader = new ChunkReader(
    {
      onMessage: ({ type, timestamp, bytes, start, end }) =>
        void seen.push({
          type,
          timestamp,
          payload: Buffer.from(bytes.subarray(start, end)).toString('hex'),
        }),
      onAborted: (type) => void aborted.push(type),
    },
    maxBytes,
  );
  const push = (bytes: Uint8Array) => reader.push(bytes, 0, bytes.length);
  return { reader, seen, aborted, push };
}

function payload(size: number, seed = size): Buffer {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length: size }, () => random(256)));
}

test.each([
  ['one byte', 4],
  ['two bytes', 64],
  ['two bytes, the last', 319],
  ['three bytes', 320],
  ['three bytes, the last', 65_599],
])('a chunk stream whose id takes %s', (_, chunkStream) => {
  const { seen, push } = reading();
  push(chunks(9, payload(300), { chunkStream, timestamp: 70_000 }));
  expect(seen).toEqual([{ type: 9, timestamp: 70_000, payload: payload(300).toString('hex') }]);
});

test('messages survive being cut at every byte, and being interleaved', () => {
  const picture = chunks(9, payload(300), { chunkStream: 6, timestamp: 40 });
  const sound = chunks(8, payload(20), { chunkStream: 4, timestamp: 41 });
  // The sound goes between the first and the second chunk of the picture.
  const firstChunk = 12 + 128;
  const stream = Buffer.concat([
    picture.subarray(0, firstChunk),
    sound,
    picture.subarray(firstChunk),
  ]);
  const expected = [
    { type: 8, timestamp: 41, payload: payload(20).toString('hex') },
    { type: 9, timestamp: 40, payload: payload(300).toString('hex') },
  ];
  for (let cut = 0; cut <= stream.length; cut++) {
    const { seen, push, reader } = reading();
    push(stream.subarray(0, cut));
    push(stream.subarray(cut));
    expect(seen).toEqual(expected);
    expect(reader.heldBytes).toBe(0);
  }
});

test('differences of time: types 1 and 2, and 3 which repeats the last one', () => {
  const { seen, push } = reading();
  push(chunks(9, payload(5), { timestamp: 1000 }));
  push(chunks(9, payload(6), { form: 1, timestamp: 40 }));
  push(chunks(9, payload(6), { form: 2, timestamp: 33 }));
  push(chunks(9, payload(6), { form: 3 }));
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([1000, 1040, 1073, 1106]);
});

test('a type 3 behind a type 0 repeats its time as a difference, as ffmpeg means it', () => {
  const { seen, push } = reading();
  push(chunks(9, payload(6), { timestamp: 40 }));
  push(chunks(9, payload(6), { form: 3 }));
  expect(seen.map(({ timestamp }) => timestamp)).toEqual([40, 80]);
});

test('times of 32 bits, in every chunk or in the first alone', () => {
  const timestamp = 0xffff_fff0;
  const body = payload(300);
  const full = chunks(9, body, { timestamp });
  const first = full.subarray(0, 1 + 11 + 4 + 128);
  const { seen, push } = reading();
  push(full);
  push(
    Buffer.concat([
      first,
      Buffer.of(0xc4),
      body.subarray(128, 256),
      Buffer.of(0xc4),
      body.subarray(256),
    ]),
  );
  push(chunks(9, body, { form: 1, timestamp: 40 }));
  expect(seen.map((message) => message.timestamp)).toEqual([timestamp, timestamp, 0x18]);
  expect(new Set(seen.map((message) => message.payload))).toEqual(new Set([body.toString('hex')]));
});

test('a message that is given up is told of and forgotten', () => {
  const { seen, aborted, push, reader } = reading();
  push(chunks(9, payload(300), { chunkStream: 6 }).subarray(0, 12 + 128));
  expect(reader.heldBytes).toBe(128);
  reader.abort(6);
  reader.abort(6);
  reader.abort(9);
  expect(aborted).toEqual([9]);
  push(chunks(9, payload(10), { chunkStream: 6 }));
  expect(seen.map(({ payload: text }) => text)).toEqual([payload(10).toString('hex')]);
});

test('a chunk size of 0 is none', () => {
  const { reader } = reading();
  expect(() => reader.setChunkBytes(0)).toThrow(/found a chunk size of 0/);
  expect(() => reader.setChunkBytes(0x8000_0000)).toThrow(/chunk size/);
  reader.setChunkBytes(1);
});

test('memory is taken for what came, not for what was announced', () => {
  const { reader, push } = reading();
  push(chunks(9, Buffer.alloc(MAX), {}).subarray(0, 12 + 100));
  expect(reader.heldBytes).toBe(100);
  expect(reader.bufferBytes).toBeLessThan(10_000);
  expect(() => push(chunks(9, Buffer.alloc(10), { chunkStream: 5 }))).not.toThrow();
});

test.each([
  ['a message beyond the bound', chunks(9, Buffer.alloc(2000)), /a message of 2000 bytes/],
  ['a chunk that goes on with nothing', Buffer.of(0xc4), /goes on with nothing/],
  [
    'a new message within another',
    Buffer.concat([chunks(9, Buffer.alloc(900)).subarray(0, 140), chunks(9, Buffer.alloc(9))]),
    /within another/,
  ],
  [
    'unfinished messages that add up',
    Buffer.concat(
      Array.from({ length: 12 }, (_, index) =>
        chunks(9, Buffer.alloc(900), { chunkStream: 3 + index }).subarray(0, 140),
      ),
    ),
    /too long together/,
  ],
  [
    'chunk streams without end',
    Buffer.concat(
      Array.from({ length: 40 }, (_, index) =>
        chunks(9, Buffer.alloc(1), { chunkStream: 3 + index }),
      ),
    ),
    /chunk streams/,
  ],
])('%s ends the connection', (_, bytes, message) => {
  const { push } = reading(1000);
  expect(() => push(bytes)).toThrow(message);
});

test('what was changed anywhere is read or refused, in bounded memory', () => {
  const random = seeded(2026);
  const good = Buffer.concat([
    chunks(9, payload(500), { chunkStream: 6, timestamp: 40 }),
    chunks(8, payload(40), { chunkStream: 70, timestamp: 0xff_ffff }),
    chunks(9, payload(400), { chunkStream: 6, form: 1, timestamp: 40 }),
    chunks(18, payload(30), { chunkStream: 400 }),
  ]);
  const bound = 4096;
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(good);
    for (let change = random(6); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const { push, reader, seen } = reading(bound);
    try {
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(bytes.length, at + 1 + random(200));
        push(bytes.subarray(at, end));
        at = end;
      }
    } catch (error) {
      expect((error as Error).message).toMatch(/^RTMP: expected/);
      refused += 1;
    }
    expect(reader.heldBytes).toBeLessThanOrEqual(bound + 200);
    expect(reader.bufferBytes).toBeLessThanOrEqual(32 * bound);
    for (const message of seen) expect(message.payload.length).toBeLessThanOrEqual(2 * bound);
  }
  expect(refused).toBeGreaterThan(100);
  expect(refused).toBeLessThan(5000);
});
