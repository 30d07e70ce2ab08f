import { NightjarError } from '#base';
import {
  bareMessage,
  CLOSE,
  FRAME,
  FRAME_HEAD_BYTES,
  HEAD_BYTES,
  jsonMessage,
  MessageReader,
  OPEN,
  PROGRESS,
  progressMessage,
  readProgress,
  readSample,
  SAMPLE,
  sampleMessage,
  writeFrame,
  type Message,
} from './wire.js';

function readAll(reader: MessageReader, chunks: readonly Buffer[]): Message[] {
  const messages: Message[] = [];
  for (const chunk of chunks) {
    reader.feed(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      messages.push({ ...next, body: Buffer.from(next.body) });
    }
  }
  return messages;
}

function stream(): Buffer {
  const data = Buffer.from([0, 0, 0, 1, 0x65, 1, 2, 3]);
  const frame = Buffer.alloc(HEAD_BYTES + FRAME_HEAD_BYTES + data.length);
  writeFrame(frame, 0, { channel: 7, flags: 3, atUnixUs: 1.75e15 + 1, data });
  return Buffer.concat([
    jsonMessage(OPEN, 7, { sensitivity: 0.5 }),
    frame,
    bareMessage(CLOSE, 7),
    progressMessage({ consumedBytes: 12, cpuUs: 34 }),
  ]);
}

describe('MessageReader', () => {
  test('reads the same messages wherever the stream is cut', () => {
    const bytes = stream();
    const whole = readAll(new MessageReader(), [bytes]);
    expect(whole.map(({ kind, channel }) => [kind, channel])).toEqual([
      [OPEN, 7],
      [FRAME, 7],
      [CLOSE, 7],
      [PROGRESS, 0],
    ]);
    expect(whole[1]?.body.readDoubleLE(1)).toBe(1.75e15 + 1);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const halves = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(readAll(new MessageReader(), halves)).toEqual(whole);
    }
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(readAll(new MessageReader(), single)).toEqual(whole);
  });

  test('refuses a stream that is out of step', () => {
    for (const length of [0, 4, 0xffff_ffff]) {
      const bytes = Buffer.alloc(64);
      bytes.writeUInt32LE(length, 0);
      expect(() => readAll(new MessageReader(), [bytes])).toThrow(NightjarError);
    }
  });
});

test('a sample and progress come out as they went in', () => {
  const cells = Uint8Array.from({ length: 18 }, (_, index) => index * 13);
  const sample = { atUnixUs: 1.75e15 + 3, level: 0.625, moving: true, cells };
  const progress = { consumedBytes: 2 ** 40, cpuUs: 17 };
  const [first, second] = readAll(new MessageReader(), [
    sampleMessage(3, sample),
    progressMessage(progress),
  ]);
  expect(first?.kind).toBe(SAMPLE);
  expect(readSample(first?.body ?? Buffer.alloc(0))).toEqual(sample);
  expect(readProgress(second?.body ?? Buffer.alloc(0))).toEqual(progress);
  expect(() => readSample(Buffer.alloc(3))).toThrow(/expected a message/);
});
