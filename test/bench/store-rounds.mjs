// The process that `bench -- store` measures: one line of JSON for each round.

import { createHash } from 'node:crypto';
import { close, constants, fdatasync, open, rmSync, write } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32c } from '@node-rs/crc32';
import { silentLog, systemClock } from '#base';
import { FrameTable, RECORD_HEADROOM_BYTES } from '#media';
import { ChunkStore } from '#store';

const BLOCK_BYTES = 4096;
const FPS = 25;
/** As the recorder makes tracks safe: a tenth of them at a time. */
const TURNS = 10;

const { directory, ...numbers } = JSON.parse(process.argv[2]);
const tracks = Number(numbers.tracks);
const records = Number(numbers.records);
const rounds = Number(numbers.rounds);
const payloadBytes = Math.round((Number(numbers.kbit) * 1000) / 8);
const closeFd = promisify(close);
const openFd = promisify(open);
const writeFd = promisify(write);
const syncFd = promisify(fdatasync);

const KINDS = {
  store: viaStore,
  direct: (place) => viaDirect(place),
  hashed: (place) => viaDirect(place, { isHashed: true }),
  buffered: viaBuffered,
};
for (let round = 0; round < rounds; round++) {
  for (const [kind, prepare] of Object.entries(KINDS)) {
    const place = join(directory, `${kind}-${round}`);
    await mkdir(place);
    const { append, end } = await prepare(place);
    const appendAll = async (record) => {
      for (let turn = 0; turn < TURNS; turn++) {
        const due = [];
        for (let track = turn; track < tracks; track += TURNS) due.push(append(track, record));
        await Promise.all(due);
      }
    };
    // A chunk is made for the first of its twenty records or more.
    await appendAll(0);
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    for (let record = 1; record <= records; record++) await appendAll(record);
    const seconds = (performance.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const megabytes = (tracks * records * payloadBytes) / 1e6;
    await end();
    rmSync(place, { recursive: true });
    console.log(
      JSON.stringify({
        kind,
        recordsPerSecond: (tracks * records) / seconds,
        megabytesPerSecond: megabytes / seconds,
        cpuMsPerMegabyte: (user + system) / 1000 / megabytes,
      }),
    );
  }
}

async function viaStore(place) {
  const store = await ChunkStore.open({
    directories: [place],
    clock: systemClock,
    log: silentLog(),
    threads: 64,
  });
  const writers = Array.from({ length: tracks }, (_, track) =>
    store.openTrack({ camera: cameraId(track), track: 'main' }),
  );
  const made = writers.map(() => mediaRecord());
  const startUnixUs = Date.now() * 1000;
  return {
    append: async (track, sequence) => {
      const at = startUnixUs + sequence * 1_000_000;
      const times = { sequence, groupStartUnixUs: at, startUnixUs: at };
      await writers[track].write({ ...made[track], ...times });
      await writers[track].sync();
    },
    end: async () => {
      for (const writer of writers) await writer.close();
      await store.close();
    },
  };
}

function mediaRecord() {
  const buffer = Buffer.alloc(RECORD_HEADROOM_BYTES + payloadBytes);
  const frames = new FrameTable();
  let at = RECORD_HEADROOM_BYTES;
  for (let frame = 0; frame < FPS; frame++) {
    const size = Math.floor(payloadBytes / FPS);
    buffer.fill(frame + 1, at, at + size);
    buffer.writeUInt32BE(1, at);
    frames.addNal(size - 4);
    frames.endFrame(frame === 0, 3600, 0);
    at += size;
  }
  return {
    run: 1,
    startsGroup: true,
    startDts90k: 0,
    format: {
      codec: 'h264',
      width: 1920,
      height: 1080,
      parameterSets: [],
      codecString: '',
      reorderFrames: 0,
    },
    frames,
    buffer,
    payloadStart: RECORD_HEADROOM_BYTES,
    payloadEnd: at,
  };
}

/** Whole blocks: what a record does not fill is written all the same. */
async function viaDirect(place, { isHashed = false } = {}) {
  const length = Math.ceil(payloadBytes / BLOCK_BYTES) * BLOCK_BYTES;
  const pages = Math.ceil(length / 65_536);
  const memories = Array.from({ length: Math.ceil(tracks / TURNS) }, () =>
    Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer, 0, length).fill(
      7,
    ),
  );
  const { O_DIRECT, O_DSYNC } = constants;
  const fds = await openAll(place, O_DIRECT | O_DSYNC);
  const hashes = fds.map(() => createHash('sha256'));
  return {
    append: async (track, record) => {
      const bytes = memories[Math.floor(track / TURNS)];
      if (isHashed) crc32c(bytes);
      await writeWhole(fds[track], bytes, record * length);
      if (isHashed) hashes[track].update(bytes);
    },
    end: () => closeAll(fds),
  };
}

async function viaBuffered(place) {
  const bytes = Buffer.alloc(payloadBytes, 7);
  const fds = await openAll(place, 0);
  return {
    append: async (track, record) => {
      await writeWhole(fds[track], bytes, record * payloadBytes);
      await syncFd(fds[track]);
    },
    end: () => closeAll(fds),
  };
}

async function writeWhole(fd, bytes, position) {
  const { bytesWritten } = await writeFd(fd, bytes, 0, bytes.length, position);
  if (bytesWritten !== bytes.length) throw new Error('the disk took less');
}

function openAll(place, flags) {
  const { O_CREAT, O_EXCL, O_RDWR } = constants;
  return Promise.all(
    Array.from({ length: tracks }, (_, track) =>
      openFd(join(place, `${track}.bin`), O_CREAT | O_EXCL | O_RDWR | flags, 0o640),
    ),
  );
}

async function closeAll(fds) {
  await Promise.all(fds.map((fd) => closeFd(fd)));
}

function cameraId(track) {
  return `00000000-0000-4000-8000-${String(track + 1).padStart(12, '0')}`;
}
