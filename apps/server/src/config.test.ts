// Settings are read once, and every fault is listed without its value.

import { readServerConfig } from './config.js';

const GOOD = {
  DATABASE_URL: 'postgresql://a:b@%2Frun%2Fnightjar:5432/nightjar',
  NIGHTJAR_SECRET_KEY: 'thirty-two characters at the very least',
  NIGHTJAR_INTERNAL_SECRET: 'the internal doors are not for guests',
};

test('what is not said has a default, and the internal port is where others look', () => {
  expect(readServerConfig(GOOD)).toMatchObject({ host: '0.0.0.0', port: 8080, internalPort: 0 });
  const told = { ...GOOD, NIGHTJAR_SERVER_URL: 'http://127.0.0.1:4711', NIGHTJAR_PORT: '81' };
  expect(readServerConfig(told)).toMatchObject({ port: 81, internalPort: 4711 });
  const proxies = { ...GOOD, NIGHTJAR_TRUSTED_PROXIES: '10.0.0.1, loopback' };
  expect(readServerConfig(proxies).trustedProxies).toEqual(['10.0.0.1', 'loopback']);
});

test('all faults come together, and no value is repeated', () => {
  const read = () =>
    readServerConfig({
      ...GOOD,
      NIGHTJAR_SECRET_KEY: 'too short',
      NIGHTJAR_ADMIN_PASSWORD: 'tiny',
      NIGHTJAR_SEED_CAMERAS: '{',
    });
  expect(read).toThrow(
    /NIGHTJAR_ADMIN_PASSWORD: [^]*NIGHTJAR_SECRET_KEY: [^]*NIGHTJAR_SEED_CAMERAS: /,
  );
  expect(read).not.toThrow(/too short|tiny/);
});
