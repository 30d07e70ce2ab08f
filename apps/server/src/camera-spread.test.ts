// A server over several recorders: each camera at one of them, footage wherever it lies, one story.

import { randomUUID } from 'node:crypto';
import { eventually } from '#base/testing';
import type { Camera, Hold, Problem, RecorderView, TimelineAnswer } from '#contract';
import { FakePeer, json, problem } from './fake-recorder.test-support.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let north: FakePeer;
let south: FakePeer;
const ids: string[] = [];
const FROM = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(FROM + seconds * 1000).toISOString();

/** What a recorder is told to record; what it merely keeps is left out. */
const recorded = (peer: FakePeer) =>
  (peer.config?.cameras ?? []).filter((camera) => camera.moved !== true).map(({ id }) => id);
const kept = (peer: FakePeer) =>
  (peer.config?.cameras ?? []).filter((camera) => camera.moved === true).map(({ id }) => id);
const drain = (peer: FakePeer, drained: boolean) =>
  server.admin('PATCH', `/api/recorders/${peer.id}`, { drained });

beforeAll(async () => {
  server = await TestServer.start();
  north = await FakePeer.start(server, 'recorder', 'north');
  south = await FakePeer.start(server, 'recorder', 'south');
  for (let count = 0; count < 12; count++) {
    const { body } = await server.admin<Camera>('POST', '/api/cameras', {
      name: `camera-${count}`,
      streams: { main: `rtsp://camera-${count}.example/main` },
    });
    ids.push(body.id);
  }
});

afterAll(async () => {
  await north.stop();
  await south.stop();
  await server.stop();
});

test('every camera has one recorder, and a restart of the server moves none', async () => {
  const before = [recorded(north), recorded(south)];
  expect(before.flat().sort()).toEqual([...ids].sort());
  await server.restart();
  await north.announce();
  await south.announce();
  expect([recorded(north), recorded(south)]).toEqual(before);
});

test('a question about cameras that never were costs the database no more than one', async () => {
  const { recorders } = server.running.parts.catalog;
  const keepers = recorders.keepers.bind(recorders);
  let asked = 0;
  recorders.keepers = () => ((asked += 1), keepers());
  const cameras = Array.from({ length: 300 }, () => randomUUID()).join(',');
  const answer = await server.admin<TimelineAnswer>(
    'GET',
    `/api/timeline?cameras=${cameras}&from=${FROM}&to=${FROM + 1000}`,
  );
  expect([answer.status, answer.body.cameras.length]).toEqual([200, 300]);
  recorders.keepers = keepers;
  // Announcements may come meanwhile.
  expect(asked).toBeLessThan(20);
});

test('a recorder that is drained hands its cameras over, keeps their footage, and gets them back', async () => {
  const own = recorded(north);
  const others = recorded(south);
  expect((await drain(north, true)).status).toBe(200);
  await eventually('the other records all', () => recorded(south).length === ids.length);
  // For a moment both have them: the new one has to find the cameras first.
  expect(recorded(north)).toEqual(own);
  await eventually('the first one lets go', () => kept(north).length === own.length, 20_000);
  expect(recorded(north)).toEqual([]);

  const { body } = await server.admin<{ items: RecorderView[] }>('GET', '/api/recorders');
  expect(body.items).toEqual([
    { id: 'north', state: 'drained', weight: 1, cameras: 0, camerasKept: own.length },
    { id: 'south', state: 'sharing', weight: 1, cameras: ids.length, camerasKept: ids.length },
  ]);
  expect((await server.admin('PATCH', '/api/recorders/nobody', { drained: true })).status).toBe(
    404,
  );

  await drain(north, false);
  await eventually('its share is back', () => recorded(north).length === own.length);
  expect(recorded(north)).toEqual(own);
  await eventually('the other lets go', () => kept(south).length === own.length, 20_000);
  expect(recorded(south)).toEqual(others);
}, 60_000);

test('a hold reaches every recorder that may have such footage', async () => {
  const [moved = ''] = kept(south);
  const { body } = await server.admin<Hold>('POST', '/api/holds', {
    cameras: [moved],
    from: FROM,
    to: FROM + 1000,
    reason: 'case 7',
  });
  expect(body.confirmed).toBe(true);
  for (const peer of [north, south]) expect(peer.config?.holds).toMatchObject([{ id: body.id }]);
});

test('the timeline of a camera that moved is one story, and names who could not be asked', async () => {
  const [camera = ''] = kept(south);
  const tell = (peer: FakePeer, from: number, to: number, reason: string) =>
    peer.answerJson('/internal/timeline', () => ({
      cameras: [
        {
          id: camera,
          recordings: [{ from: at(from), to: at(to), track: 'main' }],
          motion: [],
          gaps: [{ from: at(to), to: at(100), reason }],
        },
      ],
    }));
  tell(south, 0, 30, 'moved');
  tell(north, 40, 60, 'no-motion');
  const path = `/api/timeline?cameras=${camera}&from=${FROM}&to=${FROM + 100_000}`;
  const { body } = await server.admin<TimelineAnswer>('GET', path);
  expect(body).toEqual({
    cameras: [
      {
        id: camera,
        recordings: [
          { from: at(0), to: at(30), track: 'main' },
          { from: at(40), to: at(60), track: 'main' },
        ],
        motion: [],
        gaps: [
          { from: at(30), to: at(40), reason: 'moved' },
          { from: at(60), to: at(100), reason: 'no-motion' },
        ],
      },
    ],
  });
  south.answer('/internal/timeline', (_request, response) => response.destroy());
  const partial = await server.admin<TimelineAnswer>('GET', path);
  expect(partial.body.unavailable).toEqual(['south']);
  expect(partial.body.cameras[0]?.recordings).toEqual([
    { from: at(40), to: at(60), track: 'main' },
  ]);
  tell(south, 0, 30, 'moved');
});

test('a playlist names the recorder of each slice, and the slice comes from there', async () => {
  const [camera = ''] = kept(south);
  const base = `/internal/cameras/${camera}`;
  for (const peer of [north, south]) {
    peer.answer(`${base}/playback.m3u8`, (_request, response, url) =>
      response.end(
        `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="init.mp4?from=1"\n#EXTINF:1,\n` +
          `slice.m4s?from=${url.searchParams.get('from')}&to=${url.searchParams.get('to')}\n#EXT-X-ENDLIST\n`,
      ),
    );
    peer.answer(`${base}/slice.m4s`, (_request, response) => response.end(peer.id));
  }
  const { body } = await server.admin<string>(
    'GET',
    `/api/cameras/${camera}/playback.m3u8?from=${FROM}&to=${FROM + 50_000}`,
  );
  const slices = body.split('\n').filter((line) => line.startsWith('slice.m4s'));
  expect(slices).toEqual([
    `slice.m4s?from=${FROM}&to=${FROM + 30_000}&on=south`,
    `slice.m4s?from=${FROM + 40_000}&to=${FROM + 50_000}&on=north`,
  ]);
  expect(body).toContain('#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init.mp4?from=1&on=north"');
  for (const [index, owner] of ['south', 'north'].entries()) {
    const slice = await server.admin<string>('GET', `/api/cameras/${camera}/${slices[index]}`);
    expect(slice.body).toBe(owner);
  }
  const nowhere = `/api/cameras/${camera}/slice.m4s?from=1&on=http%3A%2F%2Fevil.example`;
  expect((await server.admin<Problem>('GET', nowhere)).status).toBe(503);
});

test('pictures alone are asked of each recorder, when a transcoder wants no sound', async () => {
  const [camera = ''] = kept(south);
  const path = `/internal/cameras/${camera}/clip.mp4`;
  const asked: string[] = [];
  for (const peer of [north, south]) {
    peer.answer(path, (_request, response, url) => {
      asked.push(`${peer.id} ${url.searchParams.get('sound')}`);
      problem(response, 404, 'not-found', 'there is no footage there');
    });
  }
  const clip = await server.internalGet(`${path}?from=${FROM}&to=${FROM + 50_000}&sound=none`);
  expect(clip.status).toBe(404);
  expect(asked.sort()).toEqual(['north none', 'south none']);
});

test('a picture comes from whoever has it, by way of the internal door', async () => {
  const [camera = ''] = kept(south);
  const path = `/internal/cameras/${camera}/still`;
  north.answer(path, (_request, response) => problem(response, 404, 'not-found', 'not here'));
  south.answer(path, (_request, response) => {
    response.setHeader('nightjar-frame-time', '17').end('a picture');
  });
  const transcoder = await FakePeer.start(server, 'transcoder');
  try {
    let asked: URL | undefined;
    transcoder.answer('/internal/frame.jpg', (_request, response, url) => {
      asked = url;
      json(response, {});
    });
    await server.admin('GET', `/api/cameras/${camera}/frame.jpg?at=${FROM}`);
    expect(asked?.searchParams.get('recorder')).toBe(server.internalUrl);
    const still = await server.internalGet(`${path}?at=${FROM}`);
    expect([still.status, still.headers.get('nightjar-frame-time'), still.body]).toEqual([
      200,
      '17',
      'a picture',
    ]);
  } finally {
    await transcoder.stop();
  }
});

test('what cameras push goes to the recorder that has the port, and to no other', async () => {
  south.takesPushes = false;
  await south.announce();
  const pushing: string[] = [];
  for (let count = 0; count < 8; count++) {
    const { body } = await server.admin<Camera>('POST', '/api/cameras', {
      name: `phone-${count}`,
      streams: { main: 'push' },
    });
    pushing.push(body.id);
  }
  expect(recorded(north)).toEqual(expect.arrayContaining(pushing));
  // A server that has just started has heard one of them only: what is somewhere stays there.
  await server.restart();
  await south.announce();
  await north.announce();
  expect(recorded(north)).toEqual(expect.arrayContaining(pushing));
  expect(kept(north).filter((id) => pushing.includes(id))).toEqual([]);
});

test('a recorder that will not come back can be forgotten, one that lives cannot', async () => {
  const refused = await server.admin<Problem>('DELETE', '/api/recorders/south');
  expect([refused.status, refused.body.code]).toEqual([409, 'failed-precondition']);
  const third = await FakePeer.start(server, 'recorder', 'third');
  await eventually('it has a share', () => recorded(third).length > 0);
  await drain(third, true);
  await third.stop();
  await eventually(
    'it is lost',
    async () => (await server.admin('DELETE', '/api/recorders/third')).status === 204,
    20_000,
  );
  const { body } = await server.admin<{ items: RecorderView[] }>('GET', '/api/recorders');
  expect(body.items.map(({ id }) => id)).toEqual(['north', 'south']);
}, 60_000);
