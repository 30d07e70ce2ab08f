// Jest runs TypeScript as native ES modules, so that tests load what production loads.
const swc = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/migrations', '<rootDir>/test'],
  testRegex: '\\.test\\.ts$',
  testPathIgnorePatterns: ['/node_modules/', '\\.e2e\\.test\\.ts$', '/test/load/', '/test/faults/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  moduleNameMapper: {
    '^#migrations$': '<rootDir>/migrations/index.ts',
    '^#base/testing$': '<rootDir>/libs/base/src/testing.ts',
    '^#([a-z]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  // Waits have deadlines of their own; this is for a machine that does much else.
  testTimeout: 90_000,
  setupFilesAfterEnv: ['<rootDir>/test/file-mark.mjs'],
  reporters: ['default', ['<rootDir>/test/file-watch.mjs', { limitMinutes: 5 }]],
};
