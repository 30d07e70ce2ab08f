// The queue on the PostgreSQL that comes with the house.

import { silentLog } from '#base';
import { eventually } from '#base/testing';
import { startTestPostgres, type TestPostgres } from '../../../test/fixtures/postgres.js';
import { describeJobs } from './jobs-conformance.test-support.js';
import { openJobs } from './jobs.js';

let postgres: TestPostgres;
let databaseUrl: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  databaseUrl = await postgres.createDatabase();
}, 60_000);

afterAll(() => postgres.stop());

describe('jobs on PostgreSQL', () => {
  describeJobs({
    location: () => ({ databaseUrl }),
    holdingProgram: () => `
      import { createPostgresBackend, withBackend } from 'bullmq';
      const { Worker } = withBackend(createPostgresBackend);
      new Worker('exports', () => new Promise(() => setInterval(() => {}, 1000)), {
        connection: { connectionString: ${JSON.stringify(databaseUrl)}, schema: 'nightjar_jobs' },
        lockDuration: 2000,
      });`,
  });
});

test('a database that does not answer is unavailable', async () => {
  const nowhere = 'postgresql://nobody:nothing@127.0.0.1:1/none';
  await expect(openJobs({ databaseUrl: nowhere, log: silentLog() })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a database that goes away and comes back loses no job', async () => {
  const url = await postgres.createDatabase();
  const jobs = await openJobs({ databaseUrl: url, log: silentLog() });
  const data = {
    cameras: [
      { id: '7f0f1b9e-3b1a-4a51-9a52-5a7c2a3f0f10', name: 'Gate', recorderUrl: 'http://a:1' },
    ],
    fromUnixMs: 1,
    toUnixMs: 2,
    rendition: 'source' as const,
    note: '',
    createdBy: 'admin',
    createdAtUnixMs: 3,
  };
  await jobs.queue.add('exports', data, { id: 'kept' });
  await postgres.halt();
  await expect(jobs.queue.find('exports', 'kept')).rejects.toMatchObject({ code: 'unavailable' });
  await postgres.resume();
  const done = { sizeBytes: 1, sha256: 'ab', transcoder: 't', withoutFootage: [] };
  const worker = await jobs.work('exports', async () => done, { pollMs: 50, lockMs: 2000 });
  await eventually(
    'done',
    async () => (await jobs.queue.find('exports', 'kept'))?.state === 'done',
  );
  await worker.close();
  await jobs.close();
}, 60_000);
