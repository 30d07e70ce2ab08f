import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { ByteWriter, NightjarError, silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { FrameTable, RECORD_HEADROOM_BYTES, type MediaRecord } from '#media';
import { ChunkStore } from './chunk-store.js';
import { scanChunk } from './chunk-scan.js';
import { CAMERA, columnsOf, realRecord, seededRandom } from './footage.test-support.js';
import { nodeFiles } from './node-files.js';
import { decodeRecordHeader, encodeRecordHeader, kindOf } from './record-header.js';
import { decodeSeal, findSealAtEnd, writeSeal } from './seal.js';
import { maxSeiBytes, readSei, writeSei } from './sei.js';

const TRACK = { camera: CAMERA, track: 'main' } as const;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-format-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The record of FORMAT.md: a key frame of two NAL units and a frame of one. */
function exampleRecord(): MediaRecord {
  const nals = [
    Buffer.from('67640033', 'hex'),
    Buffer.from('6588', 'hex'),
    Buffer.from('419a0b', 'hex'),
  ];
  const frames = new FrameTable();
  frames.addNal(4);
  frames.addNal(2);
  frames.endFrame(true, 3600, 0);
  frames.addNal(3);
  frames.endFrame(false, 3601, 0);
  const payload = Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));
  const buffer = Buffer.concat([Buffer.alloc(RECORD_HEADROOM_BYTES), payload]);
  return {
    ...realRecord({ firstFrame: 0, frameCount: 1 }),
    run: 3,
    sequence: 300,
    startDts90k: -90_000,
    frames,
    buffer,
    payloadStart: RECORD_HEADROOM_BYTES,
    payloadEnd: buffer.length,
  };
}

test('the hex example of FORMAT.md is what is written, byte for byte', async () => {
  const text = readFileSync(join(import.meta.dirname, '..', 'FORMAT.md'), 'utf8');
  const block = /```hex\n([^`]*)```/.exec(text)?.[1] ?? '';
  const golden = block
    .split('\n')
    .map((line) => line.slice(0, 48).replaceAll(' ', ''))
    .join('');
  const log = silentLog();
  const store = await ChunkStore.open({
    directories: [join(directory, 's')],
    clock: new FakeClock(),
    log,
  });
  const writer = store.openTrack(TRACK);
  await writer.write(exampleRecord());
  const { chunks } = await writer.close();
  const path = join(directory, 's', chunks[0]?.path ?? '');
  expect((await readFile(path)).toString('hex')).toBe(golden);
});

test('a body comes back through the SEI whatever bytes it has', () => {
  const random = seededRandom(7);
  const bodies = [
    Buffer.alloc(0),
    Buffer.alloc(700),
    Buffer.from('0000010000030000000000020000000300', 'hex'),
    Buffer.from('03030303000000', 'hex'),
    ...Array.from({ length: 100 }, (_, at) => {
      // Few values, so that 00 00 0x comes often.
      const spread = at % 2 === 0 ? 5 : 256;
      return Buffer.from(Array.from({ length: at * 7 }, () => Math.floor(random() * spread)));
    }),
  ];
  for (const body of bodies) {
    for (const codec of ['h264', 'h265'] as const) {
      for (const place of ['record', 'seal'] as const) {
        const target = Buffer.alloc(maxSeiBytes(body.length) + 3);
        const end = writeSei(target, 3, { codec, place, body });
        const unit = readSei(target.subarray(0, end), 3);
        if (typeof unit !== 'object') throw new Error(`not read: ${body.toString('hex')}`);
        expect([unit.codec, unit.place, unit.end]).toEqual([codec, place, end]);
        expect(unit.body.equals(body)).toBe(true);
        // No start code may stand inside, or a player would see another NAL unit.
        expect(hasStartCode(target.subarray(7, end))).toBe(false);
        for (const short of [end - 1, end - 2, 20, 9, 5, 3]) {
          const cut = readSei(target.subarray(0, Math.min(short, end - 1)), 3);
          if (cut !== 'incomplete') throw new Error(`read from ${short} of ${end} bytes`);
        }
      }
    }
  }
});

function hasStartCode(bytes: Buffer): boolean {
  return [0, 1, 2].some((last) => bytes.includes(Buffer.of(0, 0, last)));
}

test('headers come back: random tables, times, offsets', () => {
  const random = seededRandom(11);
  const upTo = (bound: number) => Math.floor(random() * bound);
  for (let round = 0; round < 100; round++) {
    const frames = new FrameTable();
    const count = 1 + upTo(80);
    for (let frame = 0; frame < count; frame++) {
      for (let nal = 0; nal <= upTo(4); nal++)
        frames.addNal(1 + upTo(round % 3 === 0 ? 9 : 90_000));
      frames.endFrame(
        random() < 0.1,
        upTo(2 ** (1 + upTo(20))),
        round % 2 === 0 ? 0 : upTo(9000) - 4500,
      );
    }
    const buffer = Buffer.alloc(frames.payloadBytes, round);
    const groupStartUnixUs = upTo(2 ** 50);
    const record: MediaRecord = {
      ...exampleRecord(),
      run: upTo(2 ** 31),
      sequence: upTo(2 ** 31),
      startsGroup: random() < 0.5,
      groupStartUnixUs,
      startUnixUs: groupStartUnixUs + upTo(60_000_000),
      startDts90k: upTo(2 ** 40) - 2 ** 39,
      frames,
      buffer,
      payloadStart: 0,
      payloadEnd: buffer.length,
    };
    const body = Buffer.from(encodeRecordHeader(new ByteWriter(), TRACK, record));
    expect(kindOf(body)).toBe(1);
    const header = decodeRecordHeader(body);
    expect(columnsOf(header.frames)).toBe(columnsOf(frames));
    const { run, sequence, startsGroup, startUnixUs, startDts90k } = record;
    expect(header).toMatchObject({
      ...TRACK,
      record: { run, sequence, startsGroup, groupStartUnixUs, startUnixUs, startDts90k },
    });
    const hit = upTo(body.length);
    body[hit] = (body[hit] ?? 0) ^ (1 << upTo(8));
    expect(kindOf(body)).toBeUndefined();
  }
});

test('a payload that differs from its frame table is not written', () => {
  const record = { ...exampleRecord(), payloadEnd: exampleRecord().payloadEnd - 1 };
  expect(() => encodeRecordHeader(new ByteWriter(), TRACK, record)).toThrow('frame table');
});

test('a newer format is not taken for damage', () => {
  const body = Buffer.from(encodeRecordHeader(new ByteWriter(), TRACK, exampleRecord()));
  body[1] = 9;
  const end = body.length - 4;
  body.writeUInt32BE(crc32c(body.subarray(0, end)), end);
  expect(() => kindOf(body)).toThrow('use a newer nightjar');
});

test('a seal comes back with and without a predecessor', () => {
  for (const previous of [{}, { previousSeal: '00'.repeat(31) + '03' }]) {
    const seal = { ...TRACK, sha256: '00'.repeat(32), ...previous };
    for (const codec of ['h264', 'h265'] as const) {
      const bytes = writeSeal(codec, seal);
      const unit = readSei(bytes, 0);
      expect(typeof unit === 'object' && decodeSeal(unit.body)).toEqual(seal);
      expect(findSealAtEnd(Buffer.concat([Buffer.alloc(90), bytes]))).toEqual({ seal, offset: 90 });
      expect(findSealAtEnd(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
    }
  }
});

test('the scanner survives any mutation, and gives no record that was not written', async () => {
  const random = seededRandom(23);
  const upTo = (bound: number) => Math.floor(random() * bound);
  const log = silentLog();
  const root = join(directory, 's');
  const store = await ChunkStore.open({ directories: [root], clock: new FakeClock(), log });
  const writer = store.openTrack(TRACK);
  for (let group = 0; group < 4; group++) {
    await writer.write(realRecord({ firstFrame: group * 5, frameCount: 3 }));
    await writer.write(realRecord({ firstFrame: group * 5 + 3, frameCount: 2 }));
  }
  const { chunks, records } = await writer.close();
  const whole = await readFile(join(root, chunks[0]?.path ?? ''));
  const written = new Set(
    records.map(({ offset, length }) => whole.subarray(offset, offset + length).toString('latin1')),
  );
  const path = join(directory, 'mutant');
  let found = 0;
  for (let round = 0; round < 250; round++) {
    let mutant = Buffer.from(whole);
    for (let times = 0; times <= upTo(4); times++) {
      const at = upTo(mutant.length);
      const other = upTo(mutant.length);
      const length = upTo(600);
      switch (upTo(6)) {
        case 0:
          mutant[at] = upTo(256);
          break;
        case 1:
          mutant = mutant.subarray(0, at);
          break;
        case 2:
          mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + length)]);
          break;
        case 3:
          mutant = Buffer.concat([
            mutant.subarray(0, at),
            mutant.subarray(other, other + length),
            mutant.subarray(at),
          ]);
          break;
        case 4:
          mutant.fill(upTo(2) * 255, at, Math.min(at + length, mutant.length));
          break;
        default:
          mutant = Buffer.concat([mutant.subarray(0, at), Buffer.of(0, 0, 3), mutant.subarray(at)]);
      }
    }
    await writeFile(path, mutant);
    const file = await nodeFiles.open(path, 'read');
    try {
      const scan = await scanChunk(file, TRACK, 0);
      let end = 0;
      for (const unit of scan.units) {
        expect(unit.offset).toBeGreaterThanOrEqual(end);
        end = unit.offset + unit.length;
        if (unit.kind === 'seal') continue;
        found += 1;
        expect(written.has(mutant.subarray(unit.offset, end).toString('latin1'))).toBe(true);
      }
      expect(scan.validEnd).toBe(end);
    } catch (error) {
      if (!(error instanceof NightjarError)) throw error;
    } finally {
      await file.close();
    }
  }
  expect(found).toBeGreaterThan(500);
});

test('a file of headers that lie about their payloads does not keep the scanner busy', async () => {
  const frames = new FrameTable();
  frames.addNal(3_000_000);
  frames.endFrame(true, 3600, 0);
  const buffer = Buffer.alloc(frames.payloadBytes);
  const record = { ...exampleRecord(), frames, buffer, payloadStart: 0, payloadEnd: buffer.length };
  const body = encodeRecordHeader(new ByteWriter(), TRACK, record);
  const target = Buffer.alloc(maxSeiBytes(body.length));
  const header = target.subarray(0, writeSei(target, 0, { codec: 'h264', place: 'record', body }));
  const path = join(directory, 'liar');
  const count = Math.floor(4_000_000 / header.length);
  await writeFile(
    path,
    Buffer.concat([...Array<Buffer>(count).fill(header), Buffer.alloc(3_000_000, 1)]),
  );
  const file = await nodeFiles.open(path, 'read');
  const scan = await scanChunk(file, TRACK, 0);
  await file.close();
  expect(scan.units).toEqual([]);
});
