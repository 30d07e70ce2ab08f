import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import {
  Backoff,
  BoundedQueue,
  compiledModule,
  delay,
  inTime,
  InternalClient,
  isInternalCaller,
  NightjarError,
  readConfig,
  SecretBox,
  Shutdown,
  silentLog,
  toNightjarError,
  uuidFromBytes,
  uuidToBytes,
  withoutCredentials,
} from './index.js';
import { FakeClock } from './testing.js';

describe('SecretBox', () => {
  const box = new SecretBox('k'.repeat(32));

  test('opens what it sealed, and seals the same text differently each time', () => {
    const sealed = box.seal('päss:word', 'camera 1');
    expect(box.open(sealed, 'camera 1')).toBe('päss:word');
    expect(box.seal('päss:word', 'camera 1')).not.toBe(sealed);
  });

  test('refuses another purpose, another key and any changed byte', () => {
    const sealed = box.seal('secret', 'camera 1');
    expect(() => box.open(sealed, 'camera 2')).toThrow(NightjarError);
    expect(() => new SecretBox('x'.repeat(32)).open(sealed, 'camera 1')).toThrow(/does not open/);
    const bytes = Buffer.from(sealed, 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => box.open(changed.toString('base64'), 'camera 1')).toThrow(NightjarError);
    }
    expect(() => box.open('', 'camera 1')).toThrow(NightjarError);
  });

  test('refuses a short key', () => {
    expect(() => new SecretBox('short')).toThrow(/32 characters/);
  });
});

describe('readConfig', () => {
  const schema = z.object({ PORT: z.coerce.number().int().min(1).default(1), NAME: z.string() });

  test('gives defaults for what is unset or empty', () => {
    expect(readConfig(schema, { PORT: '', NAME: 'a' })).toEqual({ PORT: 1, NAME: 'a' });
  });

  test('lists all faults together and repeats no value', () => {
    const read = () => readConfig(schema, { PORT: 'secret-value' });
    expect(read).toThrow(/PORT: [^\n]+\n {2}NAME: /);
    expect(read).not.toThrow(/secret-value/);
  });
});

describe('Backoff', () => {
  test('doubles up to the cap, with jitter in the upper half', () => {
    const low = new Backoff({ firstMs: 1000, capMs: 30_000, random: () => 0 });
    const high = new Backoff({ firstMs: 1000, capMs: 30_000, random: () => 1 });
    expect(Array.from({ length: 7 }, () => low.nextMs())).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000,
    ]);
    expect(Array.from({ length: 6 }, () => high.nextMs()).at(-1)).toBe(30_000);
    high.reset();
    expect(high.nextMs()).toBe(1000);
  });
});

describe('BoundedQueue', () => {
  test('keeps its bound by its policy and counts what that cost', async () => {
    const oldest = new BoundedQueue<number>(2, 'drop-oldest');
    const newest = new BoundedQueue<number>(2, 'drop-newest');
    for (const item of [1, 2, 3]) {
      oldest.push(item);
      newest.push(item);
    }
    expect([oldest.dropped, newest.dropped]).toEqual([1, 1]);
    oldest.close();
    newest.close();
    expect(await all(oldest)).toEqual([2, 3]);
    expect(await all(newest)).toEqual([1, 2]);
    expect(oldest.push(4)).toBe(false);
  });

  test('wakes a reader that waits', async () => {
    const queue = new BoundedQueue<string>(4, 'drop-oldest');
    const read = all(queue);
    queue.push('late');
    queue.close();
    expect(await read).toEqual(['late']);
  });
});

describe('the internal door', () => {
  test('lets in only the bearer of the secret', () => {
    expect(isInternalCaller('Bearer s3cret', 's3cret')).toBe(true);
    for (const header of [
      undefined,
      '',
      's3cret',
      'Bearer s3cre',
      'bearer s3cret',
      'Bearer s3crets',
    ]) {
      expect(isInternalCaller(header, 's3cret')).toBe(false);
    }
  });

  test('gives the other side’s errors by their code, and names silence and absence', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/silent') return;
      const known = request.url === '/known';
      response.writeHead(known ? 409 : 500, { 'content-type': 'application/problem+json' });
      response.end(known ? JSON.stringify({ code: 'conflict', detail: 'is taken' }) : 'rubbish');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new InternalClient(`${base}/`, 'secret');
    await expect(client.json('/known')).rejects.toMatchObject({
      code: 'conflict',
      message: 'is taken',
    });
    await expect(client.json('/other')).rejects.toMatchObject({ code: 'internal' });
    await expect(client.json('/silent', { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
    const gone = new AbortController();
    const waiting = client.json('/silent', { signal: gone.signal });
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(client.json('/known')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('time', () => {
  test('work is waited for until it ends or is late, and may still fail then', async () => {
    const clock = new FakeClock();
    expect(await inTime(clock, 100, Promise.resolve(7))).toBe(7);
    await expect(inTime(clock, 100, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    let fail = (_why: Error) => {};
    const hangs = new Promise<never>((_, reject) => (fail = reject));
    let outcome: string | undefined;
    const waiting = inTime(clock, 100, hangs).then((result) => (outcome = result));
    clock.advance(99);
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcome).toBeUndefined();
    clock.advance(1);
    expect(await waiting).toBe('late');
    fail(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('a delay ends by the clock or by its signal', async () => {
    const clock = new FakeClock();
    const done = delay(clock, 100);
    clock.advance(100);
    await done;
    const controller = new AbortController();
    const cancelled = delay(clock, 100, controller.signal);
    controller.abort();
    await expect(cancelled.catch((error: unknown) => toNightjarError(error).code)).resolves.toBe(
      'cancelled',
    );
  });

  test('the fake clock runs timers in order, repeated ones again', () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    clock.after(30, () => seen.push(`once at ${clock.nowUnixMs()}`));
    const repeated = clock.every(20, () => seen.push(`every at ${clock.nowUnixMs()}`));
    clock.advance(45);
    repeated.cancel();
    clock.advance(100);
    expect(seen).toEqual(['every at 20', 'once at 30', 'every at 40']);
  });
});

test('shutdown closes the last opened first, once, and goes on past a closer that fails', async () => {
  const order: string[] = [];
  const shutdown = new Shutdown(silentLog(), 50);
  shutdown.add('first', () => order.push('first'));
  shutdown.add('failing', () => {
    throw new Error('no');
  });
  shutdown.add('hanging', () => new Promise(() => undefined));
  shutdown.add('last', () => order.push('last'));
  await Promise.all([shutdown.run('test'), shutdown.run('again')]);
  expect(order).toEqual(['last', 'first']);
  expect(shutdown.signal.aborted).toBe(true);
});

test('a URL in a log carries no credentials', () => {
  expect(withoutCredentials('rtsp://user:p%40ss@10.0.0.5:554/live')).toBe(
    'rtsp://***@10.0.0.5:554/live',
  );
  expect(withoutCredentials('rtsp://us/er:p@ss@host/live')).not.toContain('user:');
  expect(withoutCredentials('rtsp://host/a@b')).toBe('rtsp://host/a@b');
});

test('UUIDs go to bytes and back', () => {
  const text = '0191d6f4-1d2c-7abc-8def-0123456789ab';
  expect(uuidFromBytes(uuidToBytes(text))).toBe(text);
  expect(() => uuidToBytes('../../../../etc/passwd')).toThrow(NightjarError);
});

test('a module that runs by itself is found in the build, from source and from the build', () => {
  const name = './worker.js';
  expect(compiledModule(name, 'file:///libs/x/libs/motion/src/service.ts').pathname).toBe(
    '/libs/x/dist/libs/motion/src/worker.js',
  );
  expect(compiledModule(name, 'file:///n/dist/libs/motion/src/service.js').pathname).toBe(
    '/n/dist/libs/motion/src/worker.js',
  );
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
