import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ByteWriter, NightjarError, silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { AUDIO_CODECS, FrameTable, type MediaRecord } from '#media';
import { encodeHeader, readRecordHeader } from './audio-header.js';
import type { ChunkInfo, ScannedChunk } from './chunk-info.js';
import { scanChunk } from './chunk-scan.js';
import { ChunkStore } from './chunk-store.js';
import { CAMERA, columnsOf, realRecord, seededRandom } from './footage.test-support.js';
import { foldGroups } from './group-rows.js';
import { maxTagBytes, readTag, writeTag } from './id3-tag.js';
import { nodeFiles } from './node-files.js';
import { sealOf } from './seal.js';
import { AAC_FORMAT, audioFormat, audioRecord } from './sound.test-support.js';
import { verifyChunk } from './verify-chunk.js';

const TRACK = { camera: CAMERA, track: 'audio' } as const;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightjar-sound-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function openStore(chunkBytes = 10_000_000): Promise<ChunkStore> {
  const directories = [join(directory, 's')];
  return ChunkStore.open({ directories, clock: new FakeClock(), log: silentLog(), chunkBytes });
}

const pathOf = (chunk: ChunkInfo) => join(directory, 's', chunk.path);
const payloadOf = (record: MediaRecord) => record.buffer.subarray(record.payloadStart);

test('the example of sound in FORMAT.md is what is written, byte for byte', async () => {
  const text = readFileSync(join(import.meta.dirname, '..', 'FORMAT.md'), 'utf8');
  const block = /```hex-sound\n([^`]*)```/.exec(text)?.[1] ?? '';
  const golden = block
    .split('\n')
    .map((line) => line.slice(0, 48).replaceAll(' ', ''))
    .join('');
  const frames = new FrameTable(0);
  const payload = Buffer.from('fff1604001200001020304' + 'fff16040011fff0506' + '', 'hex');
  frames.addNal(11);
  frames.endFrame(true, 5760, 0);
  frames.addNal(9);
  frames.endFrame(true, 5761, 0);
  const writer = (await openStore()).openTrack(TRACK);
  const buffer = Buffer.concat([Buffer.alloc(4096), payload]);
  await writer.write({
    ...audioRecord(0),
    run: 3,
    sequence: 300,
    startDts90k: -90_000,
    frames,
    buffer,
    payloadEnd: buffer.length,
  });
  const { chunks } = await writer.close();
  expect((await readFile(pathOf(chunks[0] as ChunkInfo))).toString('hex')).toBe(golden);
});

test('a body comes back through the tag whatever bytes it has, and holds no sync word', () => {
  const random = seededRandom(5);
  const bodies = [
    Buffer.alloc(0),
    Buffer.alloc(300, 0xff),
    Buffer.from('ff00ffe0fffb00ff', 'hex'),
    ...Array.from({ length: 100 }, (_, at) => {
      const values = at % 2 === 0 ? [0, 0xff, 0xe0, 0x7f] : undefined;
      return Buffer.from(
        Array.from({ length: at * 5 }, () =>
          values === undefined
            ? Math.floor(random() * 256)
            : (values[Math.floor(random() * 4)] ?? 0),
        ),
      );
    }),
  ];
  for (const body of bodies) {
    const target = Buffer.alloc(maxTagBytes(body.length) + 3);
    const end = writeTag(target, 3, body);
    const unit = readTag(target.subarray(0, end), 3);
    if (typeof unit !== 'object') throw new Error(`not read: ${body.toString('hex')}`);
    expect([unit.end, unit.body.toString('hex')]).toEqual([end, body.toString('hex')]);
    for (let at = 3; at + 1 < end; at++) {
      expect((target[at] ?? 0) === 0xff && (target[at + 1] ?? 0) >= 0xe0).toBe(false);
    }
    for (const short of [end - 1, 30, 20, 12, 5]) {
      expect(readTag(target.subarray(0, Math.min(short, end - 1)), 3)).toBe('incomplete');
    }
  }
});

test('a header with another codec than sound, or that lies about its frames, is damage', () => {
  const body = Buffer.from(encodeHeader(new ByteWriter(), TRACK, audioRecord(0)));
  const read = readRecordHeader({ body, end: 0 });
  expect(read).toMatchObject({ ...TRACK, audio: AAC_FORMAT, record: { frameCount: 4 } });
  expect(readRecordHeader({ body, end: 0, codec: 'h264', place: 'record' })).toBeUndefined();
  const video = encodeHeader(new ByteWriter(), TRACK, realRecord({ firstFrame: 0, frameCount: 1 }));
  expect(readRecordHeader({ body: Buffer.from(video), end: 0 })).toBeUndefined();
  const short = { ...audioRecord(0), payloadEnd: audioRecord(0).payloadEnd - 1 };
  expect(() => encodeHeader(new ByteWriter(), TRACK, short)).toThrow('frame table');
});

test.each(AUDIO_CODECS)('%s: records, groups, seals and their chain come back', async (codec) => {
  const store = await openStore(2500);
  const writer = store.openTrack(TRACK);
  for (let index = 0; index < 12; index++) await writer.write(audioRecord(index, codec));
  const { chunks, records } = await writer.close();
  expect(chunks.length).toBeGreaterThan(1);
  expect(foldGroups(records).map(({ frameCount }) => frameCount)).toEqual(Array(6).fill(8));
  let previous: string | undefined;
  for (const chunk of chunks) {
    expect(chunk).toMatchObject({ ...TRACK, codec, sealed: true });
    expect(chunk.path.endsWith(`.${codec}`)).toBe(true);
    const verified = await verifyChunk(pathOf(chunk));
    expect(verified).toMatchObject({ seal: 'valid', damaged: [] });
    expect(verified.previousSeal).toBe(previous);
    previous = sealOf(chunk);
  }
  for (const [index, { chunk, offset, length }] of records.entries()) {
    const [read] = await store.readAudio(chunk, offset, length);
    const original = audioRecord(index, codec);
    expect(read?.payload.equals(payloadOf(original))).toBe(true);
    expect(read?.format).toEqual(audioFormat(codec));
    expect(columnsOf(read?.frames ?? new FrameTable())).toBe(columnsOf(original.frames));
  }
  const [first] = records;
  if (first === undefined) throw new Error('nothing was written');
  await expect(store.readRecords(first.chunk, first.offset, first.length)).rejects.toMatchObject({
    code: 'data-loss',
  });
});

test.each(AUDIO_CODECS)('%s: a write torn at any byte costs that record only', async (codec) => {
  const writer = (await openStore()).openTrack(TRACK);
  await writer.write(audioRecord(0, codec));
  const before = (await writer.sync()).chunks[0] as ChunkInfo;
  await writer.write(audioRecord(1, codec));
  const after = (await writer.sync()).chunks[0] as ChunkInfo;
  const path = pathOf(before);
  const bytes = await readFile(path);
  for (let end = before.sizeBytes; end < after.sizeBytes; end += codec === 'aac' ? 1 : 13) {
    const torn = Buffer.from(bytes);
    torn.fill(0x5a, end);
    await writeFile(path, end % 2 === 0 ? torn : torn.subarray(0, end));
    const found: ScannedChunk[] = [];
    const again = await openStore();
    const known = { ...before, sizeBytes: end % 3 === 0 ? before.sizeBytes : 0 };
    const find = () => Promise.resolve(known);
    for await (const chunk of again.recover({ unsealed: [known], find })) found.push(chunk);
    expect(found.map(({ chunk }) => chunk.sizeBytes)).toEqual([before.sizeBytes]);
    expect((await readFile(path)).equals(bytes.subarray(0, before.sizeBytes))).toBe(true);
  }
  // The process whose write was torn is gone, with its open file.
  await writer.close().catch(() => undefined);
});

test('the scanner survives any mutation, and gives no record that was not written', async () => {
  const random = seededRandom(29);
  const upTo = (bound: number) => Math.floor(random() * bound);
  const writer = (await openStore()).openTrack(TRACK);
  for (let index = 0; index < 8; index++) await writer.write(audioRecord(index));
  const { chunks, records } = await writer.close();
  const whole = await readFile(pathOf(chunks[0] as ChunkInfo));
  const written = new Set(
    records.map(({ offset, length }) => whole.subarray(offset, offset + length).toString('hex')),
  );
  const path = join(directory, 'mutant');
  let found = 0;
  for (let round = 0; round < 150; round++) {
    let mutant = Buffer.from(whole);
    for (let times = 0; times <= upTo(3); times++) {
      const at = upTo(mutant.length);
      const cut = [mutant.subarray(0, at), mutant.subarray(at + upTo(300))];
      if (upTo(2) === 0) mutant[at] = upTo(256);
      else mutant = Buffer.concat(upTo(2) === 0 ? cut : [cut[0] as Buffer, whole.subarray(at)]);
    }
    await writeFile(path, mutant);
    const file = await nodeFiles.open(path, 'read');
    try {
      const scan = await scanChunk(file, TRACK, 0);
      for (const unit of scan.units.filter(({ kind }) => kind === 'record')) {
        found += 1;
        const bytes = mutant.subarray(unit.offset, unit.offset + unit.length);
        expect(written.has(bytes.toString('hex'))).toBe(true);
      }
    } catch (error) {
      if (!(error instanceof NightjarError)) throw error;
    } finally {
      await file.close();
    }
  }
  expect(found).toBeGreaterThan(300);
});

test('an .aac chunk plays by itself: ffmpeg decodes every frame and complains of nothing', async () => {
  if (!existsSync('/usr/bin/ffmpeg')) return;
  const writer = (await openStore()).openTrack(TRACK);
  const plain: Buffer[] = [];
  for (let index = 0; index < 12; index++) {
    await writer.write(audioRecord(index));
    plain.push(payloadOf(audioRecord(index)));
  }
  const { chunks } = await writer.close();
  const path = pathOf(chunks[0] as ChunkInfo);
  const reference = join(directory, 'plain.aac');
  await writeFile(reference, Buffer.concat(plain));
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      encoding: 'utf8',
      cwd: dirname(path),
    });
    return { status, stdout, stderr };
  };
  const digest = (file: string) =>
    run('ffmpeg', '-v', 'error', '-xerror', '-i', file, '-f', 'md5', '-');
  expect(digest(basename(path))).toMatchObject({ status: 0, stderr: '' });
  expect(digest(path).stdout).toBe(digest(reference).stdout);
  const count = ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames'];
  const frames = run('ffprobe', ...count, '-of', 'csv=p=0', path);
  expect(frames.stdout.trim()).toBe('48');
});
