import type { TrackStatus } from '#contract';
import { findingsOf, reasonsOf, rowsInAll, rowsNow } from './track-words.js';

const well: TrackStatus = {
  track: 'main',
  fps: 25,
  bitrate: 4_100_000,
  groupSeconds: 2,
  groupSecondsMin: 2,
  groupSecondsMax: 2,
  clockOffsetMs: -12,
  clockDriftPpm: 18.4,
  jitterMs: 4.2,
  jitterFloorMs: 16.7,
  frames: 12_345,
  packets: 99_000,
  bytes: 1_200_000_000,
  lostPackets: 0,
  malformedPackets: 0,
  clockJumps: 0,
  recent: { seconds: 61, packets: 9880, lostPackets: 0, frames: 1500, droppedFrames: 0 },
  dropped: {},
  connects: 1,
  disconnects: {},
};
const with_ = (more: Partial<TrackStatus>): TrackStatus => ({ ...well, ...more });
const recent = { seconds: 61, packets: 9880, lostPackets: 120, frames: 1500, droppedFrames: 0 };

test('what is fine stays quiet', () => {
  expect(findingsOf(well)).toEqual([]);
  const rows = rowsNow([well]);
  expect(rows.flatMap(({ cells }) => cells).every((cell) => cell?.level === undefined)).toBe(true);
  expect(rows.map(({ name, cells }) => [name, cells[0]?.text])).toEqual([
    ['Bitrate', '4.1 Mbit/s'],
    ['Frames/s', '25.0'],
    ['Key frames', '2.0 s'],
    ['Lost', '0 %'],
    ['Dropped', '0'],
    ['Jitter', '< 17 ms'],
    ['Clock', '−12 ms'],
    ['Drift', '+18 ppm'],
  ]);
});

test.each<[string, Partial<TrackStatus>, string]>([
  ['a loss', { recent }, '1.2 % of packets lost in the last minute.'],
  [
    'a young run',
    { recent: { ...recent, seconds: 20, lostPackets: 600 } },
    '5.7 % of packets lost in the last 20 s.',
  ],
  [
    'drops',
    {
      recent: { ...recent, lostPackets: 0, droppedFrames: 3 },
      dropped: { 'too-large': 9, 'before-key-frame': 2 },
    },
    '3 frames dropped in the last minute (too large).',
  ],
  ['jitter', { jitterMs: 84.6 }, 'It arrives unevenly: 85 ms of jitter.'],
  [
    'long groups',
    { groupSecondsMax: 12 },
    'Key frames are up to 12.0 s apart: live pictures and seeking begin late.',
  ],
  [
    'a wrong clock',
    { clockOffsetMs: 3_600_000 },
    'The camera’s clock is 1 h ahead: let it set its time by NTP.',
  ],
  ['a fast clock', { clockDriftPpm: 231 }, 'Its media clock runs fast, 20 s a day.'],
])('%s is a sentence', (_, more, text) => {
  expect(findingsOf(with_(more)).map((finding) => finding.text)).toEqual([text]);
  if (!('dropped' in more)) {
    const cells = rowsNow([with_(more)]).flatMap((row) => row.cells);
    expect(cells.filter((cell) => cell?.level !== undefined)).toHaveLength(1);
  }
});

test('the worst comes first, and a loss of so little is none', () => {
  const lost = { ...recent, lostPackets: 2000, droppedFrames: 87 };
  // Key frames that are far apart because they were lost are no second finding.
  const findings = findingsOf(with_({ recent: lost, jitterMs: 99, groupSecondsMax: 8 }));
  expect(findings).toEqual([
    { level: 'bad', text: '16.8 % of packets lost in the last minute, and 87 frames with them.' },
    { level: 'warn', text: 'It arrives unevenly: 99 ms of jitter.' },
  ]);
  expect(findingsOf(with_({ recent: { ...recent, lostPackets: 1 } }))).toEqual([]);
});

test('tracks stand beside each other, with the reasons behind the sums', () => {
  const sound: TrackStatus = {
    track: 'audio',
    ...{ frames: 12_345, packets: 12_345, bytes: 900_000, lostPackets: 0, malformedPackets: 0 },
    ...{ clockJumps: 0, dropped: {}, connects: 0, disconnects: {}, bitrate: 64_000 },
  };
  const main = with_({ dropped: { 'packet-lost': 12 }, disconnects: { stalled: 2 } });
  const rows = new Map(rowsNow([main, sound]).map(({ name, cells }) => [name, cells]));
  expect(rows.get('Frames/s')).toEqual([{ text: '25.0', level: undefined }, undefined]);
  const all = new Map(
    rowsInAll([main, sound]).map(({ name, cells }) => [name, cells.map((cell) => cell?.text)]),
  );
  expect(all.get('Frames')).toEqual(['12,345', '12,345']);
  expect(all.get('Reconnects')).toEqual(['2', undefined]);
  expect(reasonsOf(main)).toEqual([
    'Main, frames dropped: 12 packet lost',
    'Main, connections ended: 2 stalled',
  ]);
});
