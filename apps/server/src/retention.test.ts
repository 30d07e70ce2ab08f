// A retention that deletes sooner: what would go is shown, it waits, is confirmed or withdrawn.

import pg from 'pg';
import { eventually } from '#base/testing';
import type { AuditEntry, Camera, Problem } from '#contract';
import { FakePeer } from './fake-recorder.test-support.js';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;
let recorder: FakePeer;
let id: string;

beforeAll(async () => {
  server = await TestServer.start();
  recorder = await FakePeer.start(server);
  recorder.answerStatus();
  recorder.answerJson('/internal/retention-effect', () => ({
    ...{ storedBytes: 9_000, bytes: 4_000, chunks: 2 },
    ...{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-03T00:00:00.000Z' },
  }));
});

afterAll(async () => {
  await recorder.stop();
  await server.stop();
});

beforeEach(async () => {
  const { body } = await server.admin<Camera>('POST', '/api/cameras', {
    name: 'Gate',
    streams: { main: 'rtsp://camera.example/main' },
    retention: { days: 30, minDays: 2 },
  });
  id = body.id;
});

const patch = (body: object) => server.admin<Camera>('PATCH', `/api/cameras/${id}`, body);
const get = async () => (await server.admin<Camera>('GET', `/api/cameras/${id}`)).body;
const atRecorder = () => recorder.config?.cameras.find((camera) => camera.id === id)?.retention;
const actions = async () => {
  const { body } = await server.admin<{ items: AuditEntry[] }>('GET', '/api/audit');
  return body.items.filter(({ subject }) => subject === id).map(({ action }) => action);
};

test('a change that deletes sooner waits with its effect, over a restart, until it is due', async () => {
  const { body, status } = await patch({ name: 'Gate 7', retention: { days: 7 } });
  expect([status, body.name, body.retention]).toEqual([200, 'Gate 7', { days: 30, minDays: 2 }]);
  expect(body.pendingRetention).toMatchObject({
    retention: { days: 7, minDays: 2 },
    requestedBy: 'admin',
    effect: { bytes: 4_000, chunks: 2, from: '2026-01-01T00:00:00.000Z' },
  });
  const { requestedAt = '', effectiveAt = '' } = body.pendingRetention ?? {};
  expect(Date.parse(effectiveAt) - Date.parse(requestedAt)).toBe(86_400_000);
  expect(atRecorder()).toEqual({ days: 30, minDays: 2 });

  await server.restart();
  await recorder.announce();
  expect((await get()).pendingRetention?.retention.days).toBe(7);
  // The day passes.
  const database = new pg.Client({ connectionString: server.databaseUrl });
  await database.connect();
  await database.query(
    `UPDATE cameras SET pending_retention =
       jsonb_set(pending_retention, '{effectiveAt}', '"2026-01-01T00:00:00.000Z"') WHERE id = $1`,
    [id],
  );
  await database.end();
  await server.restart();
  await eventually('it to hold', async () => (await get()).retention.days === 7);
  expect(await get()).not.toHaveProperty('pendingRetention');
  await recorder.announce();
  expect(atRecorder()).toEqual({ days: 7, minDays: 2 });
  expect(await actions()).toEqual([
    'retention.apply',
    'camera.change',
    'retention.request',
    'camera.add',
  ]);
});

test('an administrator confirms at once, later, or withdraws', async () => {
  const confirmed = await patch({ retention: { days: 9 }, confirm: true });
  expect(confirmed.body).toMatchObject({ retention: { days: 9 } });
  expect(confirmed.body).not.toHaveProperty('pendingRetention');

  await patch({ retention: { days: 8 } });
  // Other changes leave what waits alone, and so does what holds already.
  await patch({ name: 'Yard', retention: { days: 9 } });
  expect((await get()).pendingRetention?.retention.days).toBe(8);
  const later = await server.admin<Camera>('POST', `/api/cameras/${id}/pending-retention`);
  expect(later.body).toMatchObject({ retention: { days: 8, minDays: 2 } });

  await patch({ retention: { maxBytes: 5_000 } });
  const kept = await server.admin<Camera>('DELETE', `/api/cameras/${id}/pending-retention`);
  expect([kept.status, kept.body.retention]).toEqual([200, { days: 8, minDays: 2 }]);
  expect(kept.body).not.toHaveProperty('pendingRetention');
  const again = await server.admin<Problem>('DELETE', `/api/cameras/${id}/pending-retention`);
  expect(again.body.code).toBe('failed-precondition');
  expect((await actions()).filter((action) => action.startsWith('retention'))).toEqual([
    'retention.withdraw',
    'retention.request',
    'retention.confirm',
    'retention.request',
  ]);
});

test('longer holds at once and ends what waits; rules that contradict each other are refused', async () => {
  await patch({ retention: { days: 3 } });
  const longer = await patch({ retention: { days: 60, motionDays: 90 } });
  expect(longer.body.retention).toEqual({ days: 60, motionDays: 90, minDays: 2 });
  expect(longer.body).not.toHaveProperty('pendingRetention');
  for (const retention of [{ minDays: 61 }, { motionDays: 10 }]) {
    const refused = await server.admin<Problem>('PATCH', `/api/cameras/${id}`, { retention });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid-argument']);
  }
});

test('with a second recorder: each learns of the other, and the oldest of both would go', async () => {
  const second = await FakePeer.start(server, 'recorder', 'recorder-2');
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  const parts = (...days: number[]) =>
    days.map((day) => ({ bytes: 1_000, chunks: 1, from: at(day), to: at(day + 1) }));
  const answers = [
    [recorder, { ...{ storedBytes: 9_000, bytes: 0, chunks: 0 }, keptBytes: 2_000 }, parts(1, 4)],
    [second, { ...{ storedBytes: 3_000, bytes: 0, chunks: 0 }, keptBytes: 3_000 }, parts(2, 3, 5)],
  ] as const;
  const shares = new Map([
    [recorder, 2_000],
    [second, 3_000],
  ]);
  try {
    second.answerStatus();
    for (const [peer, effect, next] of answers) {
      peer.answerJson('/internal/retention-effect', (url) => {
        expect(url.searchParams.get('shared')).toBe('true');
        return { ...effect, next };
      });
      peer.answerJson('/internal/camera-shares', () => ({
        recorder: peer.id,
        items: [{ camera: id, bytes: shares.get(peer), oldestUnixUs: 1 }],
      }));
    }
    const database = new pg.Client({ connectionString: server.databaseUrl });
    await database.connect();
    for (const peer of [recorder, second]) {
      await database.query(
        `INSERT INTO camera_recorders (camera, recorder, since) VALUES ($1, $2, now())
           ON CONFLICT DO NOTHING`,
        [id, peer.id],
      );
    }
    await database.end();
    await server.restart();
    for (const peer of [recorder, second]) await peer.announce();

    const { body } = await patch({ retention: { maxBytes: 2_000 } });
    expect(body.pendingRetention?.effect).toEqual({
      ...{ bytes: 3_000, chunks: 3, from: at(1), to: at(4) },
    });
    const told = await server.internalGet(
      `/internal/camera-shares?cameras=${id}&recorder=recorder-1`,
    );
    expect(JSON.parse(told.body)).toEqual({
      recorders: [
        {
          id: 'recorder-2',
          url: second.url,
          items: [{ camera: id, bytes: 3_000, oldestUnixUs: 1 }],
        },
      ],
    });
  } finally {
    await second.stop();
  }
});
