// Playlists: slices with fixed bounds, breaks where time, run or track break.

import type { GroupRow } from '#timeline';
import { slicesOf, writePlaylist } from './playlist.js';

const T0 = Date.UTC(2026, 0, 1) * 1000;
const S = 1_000_000;

function group(at: number, seconds = 2, more: Partial<GroupRow> = {}): GroupRow {
  return {
    camera: 'c',
    track: 'main',
    startUnixUs: T0 + at * S,
    durationUs: seconds * S,
    run: 1,
    chunkId: 1,
    offset: 0,
    length: 1,
    frameCount: 50,
    startDts90k: at * 90_000,
    ...more,
  };
}

const starts = (groups: readonly GroupRow[]) => groups.map((row) => (row.startUnixUs - T0) / S);

test('a slice begins with the group that holds its bound', () => {
  const groups = [1, 3, 5, 7, 9, 11].map((at) => group(at));
  expect(slicesOf(groups).map((slice) => starts(slice.groups))).toEqual([
    [1],
    [3, 5],
    [7, 9],
    [11],
  ]);
});

test('the bounds do not depend on where the period begins', () => {
  const groups = Array.from({ length: 40 }, (_, index) => group(0.7 + index * 1.3, 1.3));
  const whole = slicesOf(groups).map((slice) => starts(slice.groups).join());
  const part = slicesOf(groups.slice(7)).map((slice) => starts(slice.groups).join());
  expect(whole).toEqual(expect.arrayContaining(part.slice(1)));
});

test('groups longer than a slice are slices of their own', () => {
  const slices = slicesOf([group(0, 10), group(10, 10)]);
  expect(slices.map((slice) => slice.durationUs)).toEqual([10 * S, 10 * S]);
});

test('a playlist says where time breaks and which initialisation applies', () => {
  const text = writePlaylist(
    slicesOf([
      group(0),
      group(2),
      group(20),
      group(22, 2, { run: 2 }),
      group(30, 2, { track: 'sub', run: 3 }),
    ]),
    T0 + 1 * S,
    Array<string>(9).fill('&rendition=480p'),
  );
  expect(text.split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:4',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-START:TIME-OFFSET=1.000000,PRECISE=YES',
    `#EXT-X-MAP:URI="init.mp4?track=main&from=${T0}&rendition=480p"`,
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z',
    '#EXTINF:4.000000,',
    `slice.m4s?track=main&from=${T0}&last=${T0 + 2 * S}&to=${T0 + 4 * S}&rendition=480p`,
    '#EXT-X-DISCONTINUITY',
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:20.000Z',
    '#EXTINF:2.000000,',
    `slice.m4s?track=main&from=${T0 + 20 * S}&last=${T0 + 20 * S}&to=${T0 + 22 * S}&rendition=480p`,
    '#EXT-X-DISCONTINUITY',
    `#EXT-X-MAP:URI="init.mp4?track=main&from=${T0 + 22 * S}&rendition=480p"`,
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:22.000Z',
    '#EXTINF:2.000000,',
    `slice.m4s?track=main&from=${T0 + 22 * S}&last=${T0 + 22 * S}&to=${T0 + 24 * S}&rendition=480p`,
    '#EXT-X-DISCONTINUITY',
    `#EXT-X-MAP:URI="init.mp4?track=sub&from=${T0 + 30 * S}&rendition=480p"`,
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:30.000Z',
    '#EXTINF:2.000000,',
    `slice.m4s?track=sub&from=${T0 + 30 * S}&last=${T0 + 30 * S}&to=${T0 + 32 * S}&rendition=480p`,
    '#EXT-X-ENDLIST',
    '',
  ]);
});

test('a period without footage is an empty list that ends', () => {
  expect(writePlaylist([], T0)).toMatch(/#EXT-X-ENDLIST\n$/);
});
