// The queue on a real redis-server, where the machine has one.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/testing';
import { describeJobs } from './jobs-conformance.test-support.js';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

if (hasRedis) {
  describe('jobs on Redis', () => {
    let directory: string;
    let redis: ChildProcess;
    let socket: string;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'nightjar-redis-'));
      socket = join(directory, 'redis.sock');
      const settings = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--save', ''];
      redis = spawn('redis-server', settings, { stdio: 'ignore' });
      await eventually('redis listens', () => canConnect(socket));
    });

    afterAll(async () => {
      redis.kill('SIGKILL');
      await new Promise((resolve) => redis.once('exit', resolve));
      rmSync(directory, { recursive: true, force: true });
    });

    describeJobs({
      location: () => ({ redisUrl: socket }),
      holdingProgram: () => `
        import { Worker } from 'bullmq';
        import { Redis } from 'ioredis';
        new Worker('exports', () => new Promise(() => setInterval(() => {}, 1000)), {
          connection: new Redis(${JSON.stringify(socket)}, { maxRetriesPerRequest: null }),
          prefix: 'nightjar',
          lockDuration: 2000,
        });`,
    });
  });
} else {
  test('there is no redis-server on this machine, so the queue was not tried on Redis', () => {
    process.stderr.write('jobs on Redis: not tried, there is no redis-server on this machine\n');
    expect(hasRedis).toBe(false);
  });
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}
