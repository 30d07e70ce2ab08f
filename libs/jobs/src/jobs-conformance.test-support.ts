// What every backend of the queue must do; run on PostgreSQL and on Redis.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { NightjarError, silentLog } from '#base';
import { eventually } from '#base/testing';
import type { JobsLocation } from './backend.js';
import type { ExportJobData, ExportJobResult } from './job-table.js';
import { openJobs, type Jobs } from './jobs.js';

export interface JobsConformance {
  readonly location: () => JobsLocation;
  /** The body of a program, killed by the suite, that takes a job of queue `exports` and holds it. */
  readonly holdingProgram: () => string;
}

const DATA: ExportJobData = {
  cameras: [
    { id: '7f0f1b9e-3b1a-4a51-9a52-5a7c2a3f0f10', name: 'Gate', recorderUrl: 'http://127.0.0.1:1' },
  ],
  fromUnixMs: 1_790_000_000_000,
  toUnixMs: 1_790_000_060_000,
  rendition: 'source',
  note: 'a note',
  createdBy: 'admin',
  createdAtUnixMs: 1_790_000_100_000,
};
const RESULT: ExportJobResult = {
  sizeBytes: 1,
  sha256: 'ab',
  transcoder: 'transcoder-1',
  withoutFootage: [],
};
const FAST = { pollMs: 50, lockMs: 2000 };

export function describeJobs({ location, holdingProgram }: JobsConformance): void {
  let jobs: Jobs;
  let other: Jobs;

  beforeAll(async () => {
    jobs = await openJobs({ ...location(), log: silentLog() });
    other = await openJobs({ ...location(), log: silentLog() });
  });

  afterAll(async () => {
    await jobs.close();
    await other.close();
  });

  const stateOf = async (id: string) => (await jobs.queue.find('exports', id))?.state;
  const until = (id: string, state: string) =>
    eventually(`job ${state}`, async () => (await stateOf(id)) === state, 80_000);

  test('a job waits, runs, says how far it is, and is done', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    expect(await jobs.queue.find('exports', id)).toMatchObject({ state: 'waiting', data: DATA });
    let finish = () => undefined as void;
    const worker = await other.work(
      'exports',
      async (data, { id: jobId, attempt, progress }) => {
        expect([data, jobId, attempt]).toEqual([DATA, id, 1]);
        progress({ fraction: 0.5, sizeBytes: 7 });
        await new Promise<void>((resolve) => (finish = resolve));
        return RESULT;
      },
      FAST,
    );
    await eventually('progress', async () => {
      const view = await jobs.queue.find('exports', id);
      return view?.state === 'running' && view.progress?.fraction === 0.5;
    });
    finish();
    await until(id, 'done');
    expect(await jobs.queue.find('exports', id)).toMatchObject({ result: RESULT, attempts: 1 });
    expect(await jobs.queue.cancel('exports', id)).toBe(false);
    await worker.close();
  });

  test('a job is known by its id: adding it again adds nothing', async () => {
    const id = randomUUID();
    let runs = 0;
    await jobs.queue.add('exports', DATA, { id });
    await jobs.queue.add('exports', { ...DATA, note: 'another' }, { id });
    const worker = await other.work(
      'exports',
      async (data) => {
        runs += 1;
        expect(data.note).toBe('a note');
        return RESULT;
      },
      FAST,
    );
    await until(id, 'done');
    await jobs.queue.add('exports', DATA, { id });
    expect(await stateOf(id)).toBe('done');
    await worker.close();
    expect(runs).toBe(1);
  });

  test('wrong data are refused, and an unknown job is none', async () => {
    const wrong = { ...DATA, cameras: [] };
    await expect(jobs.queue.add('exports', wrong, { id: randomUUID() })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    const id = randomUUID();
    expect(await jobs.queue.find('exports', id)).toBeUndefined();
    expect(await jobs.queue.cancel('exports', id)).toBe(false);
    await jobs.queue.remove('exports', id);
  });

  test('a failure that may pass is tried again, and the second attempt counts', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    const worker = await other.work(
      'exports',
      async (_, { attempt }) => {
        if (attempt === 1) throw new NightjarError('unavailable', 'the recorder is away');
        return RESULT;
      },
      FAST,
    );
    await until(id, 'done');
    expect(await jobs.queue.find('exports', id)).toMatchObject({ attempts: 2 });
    await worker.close();
  });

  test('a failure that will not pass ends the job, with its code and its words', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    const worker = await other.work(
      'exports',
      async () => {
        throw new NightjarError('resource-exhausted', 'the disk is full: 3 bytes left');
      },
      FAST,
    );
    await until(id, 'failed');
    expect(await jobs.queue.find('exports', id)).toMatchObject({
      failure: { code: 'resource-exhausted', message: 'the disk is full: 3 bytes left' },
      attempts: 1,
    });
    await worker.close();
  });

  test('a running job that is called off, from another process, stops', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    let stopped = false;
    const worker = await other.work(
      'exports',
      async (_, { signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        stopped = true;
        throw signal.reason;
      },
      FAST,
    );
    await until(id, 'running');
    expect(await jobs.queue.cancel('exports', id)).toBe(true);
    await eventually('stopped', () => stopped);
    await until(id, 'cancelled');
    await worker.close();
    expect(await stateOf(id)).toBe('cancelled');
  });

  test('a waiting job that is called off is never begun', async () => {
    const id = randomUUID();
    const next = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    expect(await jobs.queue.cancel('exports', id)).toBe(true);
    expect(await stateOf(id)).toBe('cancelled');
    const begun: string[] = [];
    await jobs.queue.add('exports', DATA, { id: next });
    const worker = await other.work(
      'exports',
      async (_, context) => {
        begun.push(context.id);
        return RESULT;
      },
      FAST,
    );
    await until(next, 'done');
    await worker.close();
    expect(begun).toEqual([next]);
    expect(await stateOf(id)).toBe('cancelled');
  });

  test('a removed job is forgotten: waiting, running, or done', async () => {
    const waiting = randomUUID();
    await jobs.queue.add('exports', DATA, { id: waiting });
    await jobs.queue.remove('exports', waiting);
    expect(await stateOf(waiting)).toBeUndefined();

    const running = randomUUID();
    await jobs.queue.add('exports', DATA, { id: running });
    let stopped = false;
    const worker = await other.work(
      'exports',
      async (_, { signal, id }) => {
        if (id !== running) return RESULT;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        stopped = true;
        throw signal.reason;
      },
      FAST,
    );
    await until(running, 'running');
    await jobs.queue.remove('exports', running);
    expect(await stateOf(running)).toBeUndefined();
    await eventually('stopped', () => stopped);

    const done = randomUUID();
    await jobs.queue.add('exports', DATA, { id: done });
    await until(done, 'done');
    await jobs.queue.remove('exports', done);
    expect(await stateOf(done)).toBeUndefined();
    await worker.close();
    // Its id is free again once the worker has let go.
    await eventually('forgotten', async () => {
      await jobs.queue.add('exports', DATA, { id: running });
      return (await stateOf(running)) === 'waiting';
    });
    await jobs.queue.remove('exports', running);
  });

  test('a worker that closes puts its job back for another', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    const first = await other.work(
      'exports',
      async (_, { signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        throw signal.reason;
      },
      FAST,
    );
    await until(id, 'running');
    await first.close();
    expect(await stateOf(id)).toBe('waiting');
    const second = await jobs.work('exports', async () => RESULT, FAST);
    await until(id, 'done');
    await second.close();
  });

  test('the job of a killed worker is taken over', async () => {
    const id = randomUUID();
    await jobs.queue.add('exports', DATA, { id });
    const child = spawn(process.execPath, ['--input-type=module', '-e', holdingProgram()], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await until(id, 'running');
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const worker = await jobs.work('exports', async () => RESULT, FAST);
      await until(id, 'done');
      await worker.close();
    } finally {
      child.kill('SIGKILL');
    }
  }, 90_000);
}
