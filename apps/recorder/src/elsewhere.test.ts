// Whom a recorder asks what the others hold: the server, then the others, then its own memory.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isInternalCaller, silentLog } from '#base';
import { FakeClock } from '#base/testing';
import { ElsewhereBook } from './elsewhere.js';

const SECRET = 'x'.repeat(40);
const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const doors: Server[] = [];
const settings = new Map<string, Uint8Array>();
const clock = new FakeClock();
let serverUrl = '';
let otherUrl = '';
let serverAnswer: object | undefined;
let otherAnswer: object | undefined;
let asked: string[] = [];

async function door(name: string, answer: () => object | undefined): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(name);
    const body = answer();
    const isKnown = isInternalCaller(request.headers.authorization, SECRET);
    response.statusCode = !isKnown ? 401 : body === undefined ? 503 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  doors.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  serverUrl = await door('server', () => serverAnswer);
  otherUrl = await door('other', () => otherAnswer);
});

afterAll(() => {
  for (const server of doors) server.close();
});

beforeEach(() => {
  settings.clear();
  [serverAnswer, otherAnswer, asked] = [undefined, undefined, []];
});

/** As after a start of the process. */
const book = () =>
  new ElsewhereBook({
    ...{ id: 'recorder-1', serverUrl, internalSecret: SECRET, clock, log: silentLog() },
    timeline: {
      getSetting: (key) => Promise.resolve(settings.get(key)),
      putSetting: (key, value) => {
        if (value === undefined) settings.delete(key);
        else settings.set(key, value);
        return Promise.resolve();
      },
    },
  });

const share = (bytes: number, oldestUnixUs = 5) => ({ camera: CAMERA, bytes, oldestUnixUs });

test('the server, then the others at their addresses, then what was heard last', async () => {
  serverAnswer = { recorders: [{ id: 'recorder-2', url: otherUrl, items: [share(700)] }] };
  const first = book();
  expect((await first.ask([CAMERA])).get(CAMERA)).toEqual([{ bytes: 700, oldestUnixUs: 5 }]);
  // Asked again soon it asks nobody.
  await first.ask([CAMERA]);
  expect(asked).toEqual(['server']);

  [serverAnswer, otherAnswer] = [undefined, { recorder: 'recorder-2', items: [share(600, 9)] }];
  clock.advance(60_000);
  expect((await first.ask([CAMERA])).get(CAMERA)).toEqual([{ bytes: 600, oldestUnixUs: 9 }]);

  // Nobody answers a recorder that was started again.
  otherAnswer = undefined;
  expect((await book().ask([CAMERA])).get(CAMERA)).toEqual([{ bytes: 600, oldestUnixUs: 9 }]);
  // Somebody else has that address by now.
  otherAnswer = { recorder: 'recorder-3', items: [share(1)] };
  expect((await book().ask([CAMERA])).get(CAMERA)).toEqual([{ bytes: 600, oldestUnixUs: 9 }]);
});

test('one that does not answer counts as it was; one that was given up does not', async () => {
  const recorders = [
    { id: 'recorder-2', url: otherUrl, items: [share(700)] },
    { id: 'recorder-3', items: [share(30)] },
  ];
  serverAnswer = { recorders };
  await book().ask([CAMERA]);
  serverAnswer = { recorders: [{ id: 'recorder-2' }, recorders[1]] };
  const shares = (await book().ask([CAMERA])).get(CAMERA) ?? [];
  expect(shares.map(({ bytes }) => bytes)).toEqual([700, 30]);
  serverAnswer = { recorders: [{ id: 'recorder-2' }] };
  expect((await book().ask([CAMERA])).get(CAMERA)).toEqual([{ bytes: 700, oldestUnixUs: 5 }]);
  serverAnswer = { recorders: [] };
  expect(await book().ask([CAMERA])).toEqual(new Map());
  expect(settings.size).toBe(0);
});
