// The rows that the index bench lays down: chunks of 15 minutes with groups of 2 s.

export const GROUP_US = 2_000_000;
export const GROUPS_A_CHUNK = 450;
export const CHUNKS_A_DAY = 96;
export const DAY_ROWS = GROUPS_A_CHUNK * CHUNKS_A_DAY;
export const START_US = 1_767_225_600_000_000;

const CHUNK_US = GROUPS_A_CHUNK * GROUP_US;
const STORE = '7d1f6c1e-93a1-4c5e-8a39-000000999999';

export const cameraId = (index) => `7d1f6c1e-93a1-4c5e-8a39-${String(index).padStart(12, '0')}`;

/** When chunk number `chunk` of a camera begins. */
export const startOf = (camera, chunk) => START_US + chunk * CHUNK_US + camera * 7919;

/** One chunk's row. */
export function chunkRow(cameraIndex, chunk) {
  const camera = cameraId(cameraIndex);
  const id = START_US + chunk * CHUNK_US + cameraIndex;
  const firstUnixUs = startOf(cameraIndex, chunk);
  return {
    ...{ id, camera, track: 'main', codec: 'h264', sealed: true, store: STORE, firstUnixUs },
    path: `${camera}/main/2026-01-01/000000-${id}.h264`,
    lastUnixUs: firstUnixUs + CHUNK_US,
    sizeBytes: 450_000_000,
    sha256: 'ab'.repeat(32),
    previousSeal: 'cd'.repeat(32),
  };
}

/** Its groups: sizes as of a camera at 4 Mbit/s, each another. */
export function groupsOf(cameraIndex, chunk) {
  const groups = [];
  for (const group of eachGroup(cameraIndex, chunk)) groups.push({ ...group });
  return groups;
}

/** The same, one object over and over. */
export function* eachGroup(cameraIndex, chunk) {
  const { id, camera, firstUnixUs } = chunkRow(cameraIndex, chunk);
  const group = {
    ...{ camera, track: 'main', chunkId: id, run: 1 + Math.floor(chunk / 300) },
    ...{ offset: 0, length: 0, startUnixUs: 0, startDts90k: 0 },
    durationUs: GROUP_US,
    frameCount: 50,
  };
  for (let index = 0; index < GROUPS_A_CHUNK; index++) {
    group.offset += group.length;
    group.length = 900_000 + ((index * 7919 + cameraIndex * 104_729 + chunk * 31) % 200_000);
    group.startUnixUs = firstUnixUs + index * GROUP_US;
    group.startDts90k = (chunk * GROUPS_A_CHUNK + index) * 180_000;
    yield group;
  }
}
