// The catalog over a real PostgreSQL: cameras and their secrets, users and sessions, holds, the trail,
// events, and what a recorder is told.

import { NightjarError, SecretBox, silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { cameraInputSchema, type Camera, type User } from '#contract';
import pg from 'pg';
import { startTestPostgres, type TestPostgres } from '../../../test/fixtures/postgres.js';
import { Catalog } from './catalog.js';

const KEY = 'a key of an installation, quite long';
let postgres: TestPostgres;
let databaseUrl: string;
let clock: FakeClock;
let catalog: Catalog;

beforeAll(async () => {
  postgres = await startTestPostgres();
});

beforeEach(async () => {
  databaseUrl = await postgres.createDatabase();
  clock = new FakeClock();
  catalog = await open(KEY);
});

afterEach(() => catalog.close());
afterAll(() => postgres.stop());

function open(key: string): Promise<Catalog> {
  return Catalog.open({ databaseUrl, secretBox: new SecretBox(key), clock, log: silentLog() });
}

async function wholeDatabase(): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const tables = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    texts.push(JSON.stringify((await client.query(`SELECT * FROM ${name}`)).rows));
  }
  await client.end();
  return texts.join('\n');
}

function addCamera(extra: object = {}): Promise<Camera> {
  return catalog.cameras.add(
    cameraInputSchema.parse({
      name: 'Gate',
      streams: { main: 'rtsp://guard:hushhush@host/main', sub: 'rtsp://host/sub?pwd=hushhush' },
      onvif: { url: 'http://host/onvif', username: 'guard', password: 'hushhush' },
      ...extra,
    }),
  );
}

describe('cameras', () => {
  test('secrets are in no column in the clear, and only the right key opens them', async () => {
    const { id } = await addCamera();
    expect(await wholeDatabase()).not.toContain('hushhush');
    expect(await catalog.cameras.onvifAccess(id)).toEqual({
      url: 'http://host/onvif',
      username: 'guard',
      password: 'hushhush',
    });
    const other = await open('another key of another installation');
    await expect(other.cameras.list()).rejects.toMatchObject({ code: 'data-loss' });
    await other.close();
  });

  test('what is put is what comes out, secrets apart', async () => {
    const added = await addCamera({ location: { latitude: 1, longitude: 2 } });
    expect(added).toMatchObject({
      name: 'Gate',
      streams: { main: 'rtsp://host/main', sub: 'rtsp://host/sub?pwd=***' },
      onvif: { url: 'http://host/onvif', username: 'guard', hasPassword: true },
      hasCredentials: true,
      ptz: true,
      retention: { days: 30 },
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(await catalog.cameras.get(added.id)).toEqual(added);
    expect(await catalog.cameras.list()).toEqual([added]);
  });

  test('a recorder gets the ONVIF password of a camera whose events it asks for, and of no other', async () => {
    const quiet = await addCamera();
    const telling = await addCamera({ motion: { source: 'onvif' } });
    expect([quiet.motion.source, telling.motion.source]).toEqual(['video', 'onvif']);
    await catalog.recorders.assign(new Map([quiet, telling].map(({ id }) => [id, 'recorder-1'])));
    const told = await catalog.cameras.forRecorder('recorder-1');
    expect(told.find(({ id }) => id === quiet.id)).not.toHaveProperty('onvif');
    expect(told.find(({ id }) => id === telling.id)).toMatchObject({
      motion: { source: 'onvif' },
      onvif: { url: 'http://host/onvif', username: 'guard', password: 'hushhush' },
    });
    await expect(catalog.cameras.change(telling.id, { onvif: null })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(addCamera({ motion: { source: 'both' }, onvif: undefined })).rejects.toMatchObject(
      { code: 'invalid-argument' },
    );
    await catalog.cameras.remove(telling.id);
    const after = await catalog.cameras.forRecorder('recorder-1');
    expect(after.find(({ id }) => id === telling.id)).not.toHaveProperty('onvif');
  });

  test('a patch merges one level deep and null removes', async () => {
    const { id } = await addCamera({ retention: { days: 9, minDays: 2 } });
    clock.advance(1000);
    const changed = await catalog.cameras.change(id, {
      name: 'Back gate',
      streams: { main: 'rtsp://host/other', sub: null },
      onvif: { username: 'warden' },
      retention: { minDays: null, maxBytes: 5 },
      recording: { mode: 'continuous' },
    });
    expect(changed).toMatchObject({
      name: 'Back gate',
      streams: { main: 'rtsp://host/other' },
      onvif: { username: 'warden', hasPassword: true },
      retention: { days: 9, maxBytes: 5 },
      recording: { mode: 'continuous', preRollSeconds: 5 },
      updatedAt: '2026-01-01T00:00:01.000Z',
    });
    expect(changed.retention).not.toHaveProperty('minDays');
    expect(changed.streams).not.toHaveProperty('sub');
    expect(await catalog.cameras.get(id)).toEqual(changed);
    const without = await catalog.cameras.change(id, { onvif: null });
    expect([without.onvif, without.ptz]).toEqual([undefined, false]);
    await expect(catalog.cameras.change(id, { onvif: { password: 'x' } })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('an ONVIF password does not follow to another device', async () => {
    const { id } = await addCamera();
    const moved = await catalog.cameras.change(id, { onvif: { url: 'http://elsewhere/onvif' } });
    expect(moved.onvif?.hasPassword).toBe(false);
  });

  test('the key of a pushed stream is told once, sealed, and can be renewed', async () => {
    const added = await addCamera({ streams: { main: 'push', sub: 'rtsp://host/sub' } });
    expect(added.streams).toEqual({ main: 'push', sub: 'rtsp://host/sub' });
    const path = added.publish?.main?.path ?? '';
    const key = path.replace('/live/', '');
    expect(key).toMatch(/^[\w-]{24}$/);
    expect(added.publish?.sub).toBeUndefined();
    expect(await wholeDatabase()).not.toContain(key);
    expect((await catalog.cameras.get(added.id)).publish).toBeUndefined();
    await catalog.recorders.assign(new Map([[added.id, 'recorder-1']]));
    expect(await catalog.recorders.assignments()).toEqual(
      new Map([[added.id, { recorder: 'recorder-1', pushes: true }]]),
    );
    const told = async () => (await catalog.cameras.forRecorder('recorder-1'))[0]?.streams.main;
    expect(await told()).toBe(`push:${key}`);

    const { id } = added;
    const unchanged = await catalog.cameras.change(id, {
      name: 'Phone',
      streams: { main: 'push' },
    });
    expect(unchanged.publish).toBeUndefined();
    expect(await told()).toBe(`push:${key}`);
    const renewed = await catalog.cameras.renewKey(id, 'main');
    expect(renewed.publish?.main?.path).toMatch(/^\/live\/[\w-]{24}$/);
    expect(renewed.publish?.main?.path).not.toBe(path);
    expect(`/live/${(await told())?.slice(5)}`).toBe(renewed.publish?.main?.path);
    await expect(catalog.cameras.renewKey(id, 'sub')).rejects.toMatchObject({
      code: 'failed-precondition',
    });
    const pushed = await catalog.cameras.change(id, { streams: { sub: 'push' } });
    expect(Object.keys(pushed.publish ?? {})).toEqual(['sub']);
  });

  test('a removed camera is gone but for its recorder', async () => {
    const { id } = await addCamera();
    await catalog.recorders.assign(new Map([[id, 'recorder-1']]));
    await catalog.cameras.remove(id);
    expect(await catalog.cameras.find(id)).toBeUndefined();
    expect(await catalog.cameras.list()).toEqual([]);
    await expect(catalog.cameras.remove(id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(catalog.cameras.get('no uuid')).rejects.toMatchObject({ code: 'not-found' });
    const { cameras } = await catalog.recorderConfig('recorder-1');
    expect(cameras).toMatchObject([{ id, removed: true, recording: { mode: 'off' } }]);
    expect([...(await catalog.cameras.names()).values()]).toEqual(['Gate']);
  });
});

describe('what a recorder is told', () => {
  test('its cameras with credentials, its holds, and a version that changes with them only', async () => {
    const camera = await addCamera();
    await catalog.recorders.assign(new Map([[camera.id, 'recorder-1']]));
    const first = await catalog.recorderConfig('recorder-1');
    expect(first.cameras[0]?.streams).toEqual({
      main: 'rtsp://guard:hushhush@host/main',
      sub: 'rtsp://host/sub?pwd=hushhush',
    });
    expect((await catalog.recorderConfig('recorder-1')).version).toBe(first.version);
    expect((await catalog.recorderConfig('recorder-2')).cameras).toEqual([]);

    const versions = [first.version];
    const look = async () => versions.push((await catalog.recorderConfig('recorder-1')).version);
    await catalog.cameras.change(camera.id, { streams: { main: 'rtsp://guard:new@host/main' } });
    await look();
    const hold = await catalog.holds.place(
      { cameras: [camera.id], from: 1, to: 2, reason: 'case' },
      'admin',
    );
    await look();
    expect(new Set(versions).size).toBe(3);
    await catalog.holds.confirm([hold.id]);
    await catalog.cameras.change(camera.id, { location: { latitude: 1, longitude: 1 } });
    expect((await catalog.recorderConfig('recorder-1')).version).toBe(versions[2]);
  });

  test('a hold reaches only recorders that have its cameras', async () => {
    const here = await addCamera();
    const there = await addCamera({ name: 'Yard' });
    await catalog.recorders.assign(
      new Map([
        [here.id, 'recorder-1'],
        [there.id, 'recorder-2'],
      ]),
    );
    await catalog.holds.place({ cameras: [here.id, there.id], from: 1, to: 2, reason: 'x' }, 'a');
    const { holds } = await catalog.recorderConfig('recorder-2');
    expect(holds).toMatchObject([{ cameras: [there.id], fromUnixMs: 1, toUnixMs: 2 }]);
  });
});

describe('cameras that are spread over recorders', () => {
  test('a camera that moved is recorded by one, and its footage is kept by both', async () => {
    const { id } = await addCamera();
    expect(await catalog.recorders.assignments()).toEqual(new Map([[id, { pushes: false }]]));
    await catalog.recorders.assign(new Map([[id, 'recorder-1']]));
    await catalog.recorders.assign(new Map([[id, 'recorder-2']]));
    await catalog.recorders.assign(new Map([[id, 'recorder-2']]));
    expect(await catalog.recorders.assignments()).toEqual(
      new Map([[id, { recorder: 'recorder-2', pushes: false }]]),
    );
    const keepers = (await catalog.recorders.keepers()).get(id);
    expect([...(keepers?.keys() ?? [])].sort()).toEqual(['recorder-1', 'recorder-2']);

    await catalog.holds.place({ cameras: [id], from: 1, to: 2, reason: 'case' }, 'admin');
    const former = await catalog.recorderConfig('recorder-1');
    expect(former).toMatchObject({ cameras: [{ id, moved: true }], holds: [{ cameras: [id] }] });
    const still = await catalog.recorderConfig('recorder-1', new Set([id]));
    expect(still.cameras[0]?.moved).toBeUndefined();
    expect((await catalog.recorderConfig('recorder-2')).cameras[0]?.moved).toBeUndefined();

    await catalog.cameras.remove(id);
    for (const recorder of ['recorder-1', 'recorder-2']) {
      const { cameras } = await catalog.recorderConfig(recorder);
      expect(cameras).toMatchObject([{ id, removed: true }]);
      expect(cameras[0]?.moved).toBeUndefined();
    }
    expect(await catalog.recorders.assignments()).toEqual(new Map());
  });

  test('a recorder is remembered with its share, and can be forgotten', async () => {
    const { id } = await addCamera();
    const one = { id: 'recorder-1', weight: 1, drained: false, sharing: true };
    await catalog.recorders.save([one, { ...one, id: 'recorder-2', weight: 0.5 }]);
    await catalog.recorders.save([{ ...one, drained: true, sharing: false }]);
    expect(await catalog.recorders.list()).toEqual([
      { ...one, drained: true, sharing: false },
      { ...one, id: 'recorder-2', weight: 0.5 },
    ]);
    await catalog.recorders.assign(new Map([[id, 'recorder-2']]));
    await catalog.recorders.forget('recorder-2');
    expect((await catalog.recorders.list()).map((row) => row.id)).toEqual(['recorder-1']);
    expect(await catalog.recorders.assignments()).toEqual(new Map([[id, { pushes: false }]]));
    expect(await catalog.recorders.keepers()).toEqual(new Map());
  });
});

describe('users and sessions', () => {
  const admin = () => catalog.users.addFirst('admin', 'a long night watch');

  test('names are the same whatever their case or width, passwords whatever their form', async () => {
    await admin();
    const add = (username: string) =>
      catalog.users.add({ username, password: 'Caf\u00e9 am Rand', role: 'viewer' });
    await add('Ann');
    await expect(add('\uff21nn')).rejects.toMatchObject({ code: 'conflict' });
    expect(await catalog.users.authenticate('ANN', 'Cafe\u0301 am Rand')).toMatchObject({
      username: 'Ann',
    });
    expect(await catalog.users.authenticate('ann', 'wrong')).toBeUndefined();
    expect(await catalog.users.authenticate('nobody', 'Caf\u00e9 am Rand')).toBeUndefined();
  });

  test('passwords are kept as argon2id with 19 MiB, two passes and one lane', async () => {
    await admin();
    const text = await wholeDatabase();
    expect(text).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(text).not.toContain('a long night watch');
  });

  test('there is one first administrator, and always a last one, however many try at once', async () => {
    const firsts = await Promise.allSettled([admin(), admin(), admin()]);
    expect(firsts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const others = await Promise.all(
      ['b', 'c'].map((username) =>
        catalog.users.add({ username, password: 'a long night watch', role: 'admin' }),
      ),
    );
    const all = await catalog.users.list();
    expect(all).toHaveLength(1 + others.length);
    const removals = await Promise.allSettled(all.map((user) => catalog.users.remove(user.id)));
    expect(removals.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(await catalog.users.list()).toHaveLength(1);
  });

  async function session(): Promise<{ token: string; user: User }> {
    const user = await admin();
    return { token: (await catalog.sessions.start(user, '192.0.2.1')).token, user };
  }

  test('a token is 256 random bits and stored nowhere', async () => {
    const { token, user } = await session();
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(await wholeDatabase()).not.toContain(token);
    expect((await catalog.sessions.find(token))?.user).toEqual(user);
    expect(await catalog.sessions.find(`${token.slice(0, -1)}!`)).toBeUndefined();
  });

  test('use keeps a session alive, idleness and a month end it', async () => {
    const { token } = await session();
    const hour = 3_600_000;
    for (let hours = 0; hours < 29 * 24; hours += 20) {
      clock.advance(20 * hour);
      expect(await catalog.sessions.find(token)).toBeDefined();
    }
    clock.advance(23 * hour);
    expect(await catalog.sessions.find(token)).toBeUndefined();
    const user = (await catalog.users.list())[0] as User;
    const idle = (await catalog.sessions.start(user)).token;
    clock.advance(24 * hour);
    expect(await catalog.sessions.find(idle)).toBeUndefined();
  });

  test('changing a password, a role or a state ends the sessions; a vain change does not', async () => {
    const { token, user } = await session();
    await catalog.users.add({ username: 'b', password: 'a long night watch', role: 'admin' });
    await catalog.users.change(user.id, { role: 'admin' });
    expect(await catalog.sessions.find(token)).toBeDefined();
    for (const patch of [
      { role: 'viewer' },
      { password: 'another long watch' },
      { disabled: true },
    ] as const) {
      const fresh = (await catalog.sessions.start(user)).token;
      await catalog.users.change(user.id, patch);
      expect(await catalog.sessions.find(fresh)).toBeUndefined();
    }
    expect(await catalog.users.authenticate('admin', 'another long watch')).toBeUndefined();
  });
});

describe('lists that grow', () => {
  test('pages of the trail are newest first, whole and without repeats', async () => {
    for (let count = 0; count < 25; count++) {
      if (count % 5 === 0) clock.advance(1);
      await catalog.audit.add({ actor: 'ann', action: 'test', detail: { count } });
    }
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await catalog.audit.list({ limit: 10, cursor });
      seen.push(...page.items.map((entry) => entry.detail['count']));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 24 - index));
    await expect(catalog.audit.list({ limit: 1, cursor: 'x' })).rejects.toBeInstanceOf(
      NightjarError,
    );
  });

  test('events are bounded by age and by number', async () => {
    const event = (index: number) => ({
      at: new Date(clock.nowUnixMs()).toISOString(),
      kind: 'storage' as const,
      message: String(index),
    });
    await catalog.events.add([event(0), event(1)]);
    clock.advance(100_000);
    await catalog.events.add(Array.from({ length: 8 }, (_, index) => event(index + 2)));
    await catalog.events.trim({ maxAgeMs: 50_000, maxCount: 100 });
    expect((await catalog.events.list({ limit: 100 })).items).toHaveLength(8);
    await catalog.events.trim({ maxAgeMs: 1e9, maxCount: 3 });
    const { items } = await catalog.events.list({ limit: 100 });
    expect(items.map(({ message }) => message)).toEqual(['9', '8', '7']);
  });

  test('text that PostgreSQL cannot hold is refused as such, not as a fault of ours', async () => {
    const event = { at: new Date(0).toISOString(), kind: 'storage', message: 'a\u0000b' } as const;
    await expect(catalog.events.add([event])).rejects.toMatchObject({ code: 'invalid-argument' });
    const named = addCamera({ name: 'a\u0000b' });
    await expect(named).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('the first outcome of an export stays', async () => {
    const camera = await addCamera();
    const made = await catalog.exports.add(
      { cameras: [camera.id], from: 1, to: 2, rendition: 'source', note: '' },
      'ann',
    );
    expect((await catalog.exports.unfinished()).map(({ id }) => id)).toEqual([made.id]);
    expect(await catalog.exports.finish(made.id, { state: 'cancelled' })).toBe(true);
    expect(await catalog.exports.finish(made.id, { state: 'done', sizeBytes: 1 })).toBe(false);
    expect((await catalog.exports.get(made.id)).outcome).toEqual({ state: 'cancelled' });
    expect(await catalog.exports.unfinished()).toEqual([]);
  });
});

test('a database that is not there is waited for, then given up', async () => {
  await expect(
    Catalog.open({
      databaseUrl: 'postgresql://a:b@127.0.0.1:1/none',
      secretBox: new SecretBox(KEY),
      clock: new FakeClock(),
      log: silentLog(),
      patienceMs: -1,
    }),
  ).rejects.toMatchObject({ code: 'unavailable' });
});

test('two that open at once migrate once', async () => {
  databaseUrl = await postgres.createDatabase();
  const opened = await Promise.all([open(KEY), open(KEY), open(KEY)]);
  for (const one of opened) await one.close();
  expect(opened).toHaveLength(3);
});
