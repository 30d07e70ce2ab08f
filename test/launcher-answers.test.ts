// The launcher waits for its server as long as that takes: a slow machine's start is a start.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '#base/testing';

const launcher = '../apps/launcher/server-answers.mjs';
const { serverAnswers } = (await import(launcher)) as {
  serverAnswers(options: object): Promise<boolean>;
};

test('a server that is late is said to be late once, and is welcome when it answers', async () => {
  let isReady = false;
  const server = createServer((_request, response) => {
    response.writeHead(isReady ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const lines: string[] = [];
  let asked = 0;
  server.on('request', () => (asked += 1));
  try {
    const log = (line: string) => lines.push(line);
    const answers = serverAnswers({ url, log, isStopping: () => false, lateMs: 0 });
    await eventually('it is said', () => lines.length > 0);
    const before = asked;
    await eventually('it is asked on', () => asked > before + 2);
    isReady = true;
    expect(await answers).toBe(true);
    expect(lines).toEqual([expect.stringContaining(`does not answer at ${url} yet`)]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('nobody waits for a server that is being stopped', async () => {
  let isStopping = false;
  const answers = serverAnswers({
    url: 'http://127.0.0.1:9',
    log: () => undefined,
    isStopping: () => isStopping,
  });
  isStopping = true;
  expect(await answers).toBe(false);
});
