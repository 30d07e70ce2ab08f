// End-to-end tests run one after another: each starts a whole installation.
import unit from '../../jest.config.mjs';

export default {
  ...unit,
  rootDir: '../..',
  roots: ['<rootDir>/test/e2e'],
  testRegex: '\\.e2e\\.test\\.ts$',
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
};
