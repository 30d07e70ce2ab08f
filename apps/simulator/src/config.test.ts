// The simulator's settings.

import { readSimulatorConfig } from './config.js';

test('defaults, footage and copies', () => {
  const config = readSimulatorConfig({}, [
    '--clip',
    'a=/x/a.mp4',
    '--clip',
    'b=/y=z.mp4',
    '--copies',
    '3',
  ]);
  expect(config.environment.NIGHTJAR_SIMULATOR_PORT).toBe(8554);
  expect(config.clips).toEqual([
    { name: 'a', path: '/x/a.mp4' },
    { name: 'b', path: '/y=z.mp4' },
  ]);
  expect([config.copies, config.burst]).toEqual([3, false]);
});

test('faults are told', () => {
  expect(() => readSimulatorConfig({ NIGHTJAR_SIMULATOR_PORT: '99999' }, [])).toThrow(
    'NIGHTJAR_SIMULATOR_PORT',
  );
  expect(() => readSimulatorConfig({}, ['--copies', '-1'])).toThrow();
  expect(() => readSimulatorConfig({}, ['--clip', 'noname'])).toThrow('--clip');
});
