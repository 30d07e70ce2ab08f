// End-to-end tests: each file starts a whole installation, which mostly waits for time to pass.
import { availableParallelism } from 'node:os';
import unit from '../../jest.config.mjs';

export default {
  ...unit,
  rootDir: '../..',
  roots: ['<rootDir>/test/e2e'],
  testRegex: '\\.e2e\\.test\\.ts$',
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/e2e/built.mjs',
  maxWorkers: Math.min(2, availableParallelism()),
  testTimeout: 300_000,
  reporters: ['default', ['<rootDir>/test/file-watch.mjs', { limitMinutes: 7 }]],
};
