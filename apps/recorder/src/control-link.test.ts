// The recorder's reports to the server: one that is refused must not keep back the others.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '#base';
import { eventually, FakeClock } from '#base/testing';
import type { Recorder } from '#pipeline';
import { ControlLink } from './control-link.js';

const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
const SECRET = 'x'.repeat(40);

let server: Server;
const kept: string[] = [];
/** What is answered to a report that holds a bad event. */
let refusal = { status: 400, code: 'invalid-argument', detail: 'the database takes no such text' };

beforeEach(async () => {
  kept.length = 0;
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      if (request.url !== '/internal/events') return void response.end('{}');
      const { events } = JSON.parse(text) as { events: { message: string }[] };
      const messages = events.map(({ message }) => message);
      if (messages.includes('bad')) {
        response.writeHead(refusal.status, { 'content-type': 'application/problem+json' });
        response.end(JSON.stringify(refusal));
        return;
      }
      kept.push(...messages);
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function open(clock: FakeClock): ControlLink {
  const link = new ControlLink({
    id: 'recorder-1',
    weight: 1,
    takesPushes: false,
    // Asked only when there is a configuration to apply; the server gives none.
    recorder: {} as Recorder,
    serverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    internalSecret: SECRET,
    secretKey: SECRET,
    clock,
    log: silentLog(),
  });
  return link;
}

function report(link: ControlLink, ...messages: string[]): void {
  for (const message of messages) {
    link.report({ kind: 'storage', camera: CAMERA, atUnixUs: 1_700_000_000_000_000, message });
  }
}

test('an event that the server refuses is left out, and those beside and behind it arrive', async () => {
  const clock = new FakeClock();
  const link = open(clock);
  report(link, 'one', 'bad', 'two');
  link.start('http://127.0.0.1:1');
  report(link, 'three');
  await eventually('the others', () => {
    clock.advance(1000);
    return kept.length === 3;
  });
  expect(kept.sort()).toEqual(['one', 'three', 'two']);
  await link.close();
});

test('while the server cannot keep events they wait', async () => {
  refusal = { status: 503, code: 'unavailable', detail: 'PostgreSQL does not answer' };
  const clock = new FakeClock();
  const link = open(clock);
  report(link, 'bad', 'one');
  link.start('http://127.0.0.1:1');
  for (let turn = 0; turn < 10; turn++) {
    clock.advance(10_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(kept).toEqual([]);
  await link.close();
});
