// Holds the imports of the code to the table in libs/rooms.mjs.

import { CLOSES_FILES, DISK_ROOMS, ROOMS, SOCKET_ROOMS } from './libs/rooms.mjs';

const TESTS = '\\.(test|test-support)\\.tsx?$';
const inside = (path) => `^${path}/`;

const rows = ROOMS.map((room) => ({
  name: `row-of-${room.path.replace('/', '-')}`,
  comment: `${room.path} may import: ${room.imports.join(' ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: inside(room.path), pathNot: TESTS },
  to: {
    path: '^(apps|libs|migrations)/',
    pathNot: [
      room.path,
      ...room.imports.map((name) => ROOMS.find((other) => other.name === name).path),
    ].map(inside),
  },
}));

const faces = ROOMS.map((room) => ({
  name: `face-of-${room.path.replace('/', '-')}`,
  comment: `${room.path} is entered only through its face`,
  severity: 'error',
  from: { path: '^(apps|libs|migrations)/', pathNot: [inside(room.path), TESTS] },
  to: {
    path: inside(room.path),
    pathNot: [`^${room.path}/src/(index|testing)\\.ts$`, `^${room.path}/index\\.ts$`],
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rows,
    ...faces,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'framework-is-a-coat',
      comment: 'libs are plain TypeScript that a test can construct',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'sockets-only-in-their-rooms',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [...SOCKET_ROOMS.map(inside), TESTS] },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|dgram|tls)$' },
    },
    {
      name: 'disk-only-in-its-rooms',
      severity: 'error',
      from: { path: '^libs/', pathNot: [...DISK_ROOMS.map(inside), `^${CLOSES_FILES}$`, TESTS] },
      to: { dependencyTypes: ['core'], path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'contract-is-browser-safe',
      severity: 'error',
      from: { path: '^(libs/contract|apps/console)/src/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\?url$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.d.ts', '.json'],
    },
  },
};
