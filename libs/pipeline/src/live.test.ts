// Live: the hot group at once, slow viewers lose P-frames only, and only their own.

import type { VideoFormat } from '#media';
import { TrackHub } from './hub.js';
import { IngestCounters, TrackIngest } from './ingest.js';
import { watchLive, type LiveFormat } from './live.js';
import { SlabPool } from './slab-pool.js';

const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 320,
  height: 240,
  parameterSets: [
    Buffer.from('6742c00ad90507e84000000300400000030c83c48992', 'hex'),
    Buffer.from('68cb83cb20', 'hex'),
  ],
  codecString: 'avc1.42c00a',
  reorderFrames: 0,
};
const T0 = Date.UTC(2026, 0, 1) * 1000;

function rig() {
  const pool = new SlabPool();
  const hub = new TrackHub();
  const ingest = new TrackIngest({
    run: 1,
    format: FORMAT,
    pool,
    notBeforeUnixUs: 0,
    counters: new IngestCounters(),
    onFrame: (frame) => hub.publish(frame),
    onRecord: () => undefined,
  });
  let index = 0;
  /** Frames of 40 ms in groups of 50. */
  const run = (count: number) => {
    for (let end = index + count; index < end; index++) {
      ingest.beginNal(index % 50 === 0 ? 0x65 : 0x41);
      ingest.appendNal(Buffer.from([index]), 0, 1);
      ingest.endFrame(index * 3600, T0 + index * 40_000);
    }
  };
  const watch = (format: LiveFormat = 'annexb') => {
    const seen: number[] = [];
    const keys: number[] = [];
    const inits: (Buffer | undefined)[] = [];
    const viewer = { backlog: 0, givenUp: false, last: Buffer.alloc(0) as Buffer, utcUs: 0 };
    const leave = watchLive({
      hub,
      format,
      headroomBytes: 4,
      viewer: {
        onInit: (_format, init) => inits.push(init),
        onPart: ({ key, bytes, utcUs }) => {
          const at = bytes.at(-1) ?? -1;
          seen.push(at);
          if (key) keys.push(at);
          viewer.last = bytes;
          viewer.utcUs = utcUs;
        },
        backlogBytes: () => viewer.backlog,
        onGivenUp: () => (viewer.givenUp = true),
      },
    });
    return { seen, keys, inits, viewer, leave };
  };
  return { pool, hub, ingest, run, watch };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

test('a newcomer gets the group that is on at once, then every frame', () => {
  const it = rig();
  it.run(80);
  const viewer = it.watch();
  expect(viewer.seen).toEqual(range(50, 80));
  expect(viewer.inits).toEqual([undefined]);
  expect(viewer.viewer.last.toString('hex')).toMatch(/^.{8}00000001414f$/);
  expect(viewer.viewer.utcUs).toBe(T0 + 79 * 40_000);
  it.run(40);
  expect(viewer.seen).toEqual(range(50, 120));
  expect(viewer.keys).toEqual([50, 100]);
});

test('a slow viewer loses its own P-frames up to the next key frame, and nobody else does', () => {
  const it = rig();
  it.run(1);
  const slow = it.watch();
  const quick = it.watch();
  it.run(9);
  slow.viewer.backlog = 2_000_000;
  it.run(5);
  slow.viewer.backlog = 0;
  it.run(45);
  expect(slow.seen).toEqual([...range(0, 10), ...range(50, 60)]);
  expect(quick.seen).toEqual(range(0, 60));
  slow.viewer.backlog = 2_000_000;
  it.run(100);
  expect(slow.keys).toEqual([0, 50, 100, 150]);
});

test('it is known whether anybody watches', () => {
  const it = rig();
  const told: boolean[] = [];
  it.hub.onWatched = (watched) => told.push(watched);
  const first = it.watch();
  const second = it.watch();
  first.leave();
  first.leave();
  second.leave();
  expect(told).toEqual([true, false]);
});

test('a viewer that reads nothing any more is given up', () => {
  const it = rig();
  const viewer = it.watch();
  viewer.viewer.backlog = 100_000_000;
  it.run(2);
  expect(viewer.viewer.givenUp).toBe(true);
  expect(it.hub.subscribers).toBe(0);
});

test('fMP4 parts are whole fragments with lengths in place of start codes', () => {
  const it = rig();
  it.run(60);
  const viewer = it.watch('fmp4');
  expect(viewer.inits[0]?.toString('latin1', 4, 8)).toBe('ftyp');
  const part = viewer.viewer.last.subarray(4);
  expect(part.toString('latin1', 4, 8)).toBe('moof');
  expect(part.subarray(-6).toString('hex')).toBe('00000002413b');
});

test('when the run ends its memory goes, and a newcomer waits for the next key frame', () => {
  const it = rig();
  it.run(60);
  it.ingest.end();
  it.hub.endRun();
  expect(it.pool.usedBytes).toBe(0);
  expect(it.watch().seen).toEqual([]);
});
