// Media that the server puts together: whatever becomes of a request, nothing that was opened for it
// stays open.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { NightjarError } from '#base';
import { eventually } from '#base/testing';
import type { Connections } from './connections.js';
import { MediaProxy, type ComposedCall } from './media-proxy.js';

const PATH = '/api/cameras/:id/clip.mp4';
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** One door whose clips are composed as the test says; gives the signals of the calls. */
async function serve(call: Pick<ComposedCall, 'onAccepted'>) {
  const signals: AbortSignal[] = [];
  let isDone = false;
  const connections = { add: () => () => undefined } as unknown as Connections;
  const proxy = new MediaProxy({ internalSecret: 'x'.repeat(32), connections });
  const web = express();
  web.get(PATH, (request, response) => {
    const compose = (signal: AbortSignal) => {
      signals.push(signal);
      return Promise.resolve({ headers: { 'content-type': 'video/mp4' }, bytes: pieces() });
    };
    const caller = {} as ComposedCall['caller'];
    proxy
      .send({ ...call, request, response, caller, compose })
      .catch(() => response.status(503).end())
      .finally(() => (isDone = true));
  });
  server = web.listen(0, '127.0.0.1');
  await eventually('the port', () => server?.listening);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/cameras/1/clip.mp4`;
  return { url, signals, isDone: () => isDone };
}

async function* pieces(): AsyncGenerator<Buffer> {
  for (let piece = 0; piece < 3; piece++) yield await Promise.resolve(Buffer.from('piece'));
}

test('what was opened to be put together is let go: asked for its head, refused, or read', async () => {
  for (const [method, isRefused] of [
    ['HEAD', false],
    ['GET', true],
    ['GET', false],
  ] as const) {
    const onAccepted = () =>
      isRefused
        ? Promise.reject(new NightjarError('unavailable', 'PostgreSQL does not answer'))
        : Promise.resolve();
    const { url, signals, isDone } = await serve({ onAccepted });
    const answer = await fetch(url, { method });
    expect(answer.status).toBe(isRefused ? 503 : 200);
    expect(await answer.text()).toBe(method === 'GET' && !isRefused ? 'piecepiecepiece' : '');
    await eventually('its end', isDone);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    server?.closeAllConnections();
    server?.close();
  }
});
