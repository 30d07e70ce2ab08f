// Answers of several recorders become one, page by page, and a missing recorder is named.

import { eventually } from '#base/testing';
import type { Camera, MotionAnswer, MotionEvent, Storage, TimelineAnswer } from '#contract';
import { FakePeer } from './fake-recorder.test-support.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let north: FakePeer;
let south: FakePeer;
let cameras: [string, string];
const FROM = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(FROM + seconds * 1000).toISOString();

async function addCamera(name: string): Promise<string> {
  const { body } = await server.admin<Camera>('POST', '/api/cameras', {
    name,
    streams: { main: `rtsp://${name}.example/main` },
  });
  return body.id;
}

/** Whose a camera is depends on its id: cameras are added until each recorder has one. */
beforeAll(async () => {
  server = await TestServer.start();
  north = await FakePeer.start(server, 'recorder', 'north');
  south = await FakePeer.start(server, 'recorder', 'south');
  let found = false;
  for (let count = 0; count < 64 && !found; count++) {
    await addCamera(`camera-${count}`);
    const [first, second] = [north, south].map((peer) => peer.config?.cameras[0]?.id);
    if (first === undefined || second === undefined) continue;
    cameras = [first, second];
    found = true;
  }
  expect(found).toBe(true);
});

afterAll(async () => {
  await north.stop();
  await south.stop();
  await server.stop();
});

/** Pages of a recorder as a real one gives them: the cursor is opaque to everybody else. */
function answerMotion(peer: FakePeer, camera: string, seconds: readonly number[]): void {
  const all: MotionEvent[] = [...seconds]
    .sort((a, b) => b - a)
    .map((second) => ({
      id: `${peer.id}-${second}`,
      camera,
      from: at(second),
      to: at(second + 1),
      peak: 0.5,
      cells: [0],
    }));
  peer.answerJson('/internal/motion', (url) => {
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const end = start + Number(url.searchParams.get('limit'));
    return {
      items: all.slice(start, end),
      ...(end < all.length ? { cursor: String(end) } : {}),
    };
  });
}

async function readAll(limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const search = new URLSearchParams({
      cameras: cameras.join(','),
      from: String(FROM),
      to: String(FROM + 1e6),
      limit: String(limit),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const { body } = await server.admin<MotionAnswer>('GET', `/api/motion?${search}`);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    ids.push(...body.items.map((item) => item.id));
    cursor = body.cursor;
  } while (cursor !== undefined);
  return ids;
}

test.each([1, 2, 3, 7, 100])(
  'motion of two recorders is one list, newest first, in pages of %i',
  async (limit) => {
    const even = Array.from({ length: 20 }, (_, index) => index * 2);
    const odd = [...Array.from({ length: 5 }, (_, index) => index * 2 + 1), 51, 53, 55];
    answerMotion(north, cameras[0], even);
    answerMotion(south, cameras[1], odd);
    const wanted = [
      ...even.map((second) => ({ second, id: `north-${second}` })),
      ...odd.map((second) => ({ second, id: `south-${second}` })),
    ].sort((a, b) => b.second - a.second);
    expect(await readAll(limit)).toEqual(wanted.map(({ id }) => id));
  },
);

test('a cursor that was not given out is refused', async () => {
  const { status } = await server.admin(
    'GET',
    `/api/motion?cameras=${cameras[0]}&from=${FROM}&to=${FROM + 1}&cursor=bogus`,
  );
  expect(status).toBe(400);
});

test('each recorder is asked for its own cameras; one that is lost is named, not an error', async () => {
  const answer = (peer: FakePeer) =>
    peer.answerJson('/internal/timeline', (url) => ({
      cameras: (url.searchParams.get('cameras') ?? '').split(',').map((id) => ({
        id,
        recordings: [{ from: at(0), to: at(10), track: 'main' }],
        motion: [],
        gaps: [],
      })),
    }));
  answer(north);
  answer(south);
  const path = `/api/timeline?cameras=${cameras.join(',')}&from=${FROM}&to=${FROM + 60_000}`;
  const both = await server.admin<TimelineAnswer>('GET', path);
  expect(both.body.cameras.map(({ id, recordings }) => [id, recordings.length])).toEqual([
    [cameras[0], 1],
    [cameras[1], 1],
  ]);
  expect(both.body.unavailable).toBeUndefined();
  expect(south.requests.at(-1)).toContain(`cameras=${cameras[1]}&`);

  await south.stop();
  const one = await server.admin<TimelineAnswer>('GET', path);
  expect(one.body.unavailable).toEqual(['south']);
  expect(one.body.cameras.map(({ recordings }) => recordings.length)).toEqual([1, 0]);
  await south.listen();
});

test('storage adds up, and says what could not be asked', async () => {
  const part = (path: string, daysLeft: number): Storage => ({
    disks: [{ path, state: 'ok', sizeBytes: 10, freeBytes: 5, footageBytes: 4 }],
    watermarks: { lowBytes: 3, criticalBytes: 2, stopBytes: 1 },
    cameras: [],
    daysLeft,
    nextDeletions: [],
    scrubs: [
      {
        recorder: path,
        state: 'resting',
        periodDays: 30,
        bytes: 4,
        totalBytes: 4,
        chunks: 1,
        damagedChunks: 0,
        brokenSeals: 0,
        damage: [],
      },
    ],
    warmTiers: [],
  });
  north.answerJson('/internal/storage', () => part('/north', 9));
  south.answerJson('/internal/storage', () => part('/south', 4));
  const { body } = await server.admin<Storage>('GET', '/api/storage');
  expect(body.disks.map(({ path }) => path).sort()).toEqual(['/north', '/south']);
  expect(body).toMatchObject({ daysLeft: 4, watermarks: { lowBytes: 3 } });
  south.answer('/internal/storage', (_request, response) => response.destroy());
  await eventually('the other to be named', async () => {
    const answer = await server.admin<Storage>('GET', '/api/storage');
    return answer.status === 200 && answer.body.unavailable?.[0] === 'south';
  });
});
