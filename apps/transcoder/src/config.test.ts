// Settings: defaults, and every fault at once.

import { readTranscoderConfig } from './config.js';

const LEAST = {
  NIGHTJAR_DATA_DIR: '/data',
  NIGHTJAR_SERVER_URL: 'http://127.0.0.1:8081',
  NIGHTJAR_INTERNAL_SECRET: 'x'.repeat(32),
};

test('what must be said is enough, and Redis goes before PostgreSQL', () => {
  expect(readTranscoderConfig(LEAST)).toMatchObject({
    id: 'transcoder-1',
    internalHost: '127.0.0.1',
    internalPort: 0,
    cacheBytes: 2 * 1024 ** 3,
  });
  expect(readTranscoderConfig(LEAST).jobs).toBeUndefined();
  const databaseUrl = 'postgresql://a@b/c';
  const redisUrl = 'redis://b';
  expect(readTranscoderConfig({ ...LEAST, DATABASE_URL: databaseUrl }).jobs).toEqual({
    databaseUrl,
  });
  const both = { ...LEAST, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
  expect(readTranscoderConfig(both).jobs).toEqual({ redisUrl });
});

test('every fault is named, and no value', () => {
  const wrong = { NIGHTJAR_DATA_DIR: 'relative', NIGHTJAR_INTERNAL_SECRET: 'short secret' };
  const read = () => readTranscoderConfig(wrong);
  expect(read).toThrow(/NIGHTJAR_DATA_DIR[^]*NIGHTJAR_SERVER_URL[^]*NIGHTJAR_INTERNAL_SECRET/);
  expect(read).not.toThrow(/short secret/);
});
