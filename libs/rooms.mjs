// The rooms of the house, what each is for, and what each may import. `npm run check` holds the code
// to this table, and libs/README.md shows it.

export const ROOMS = [
  ['apps/server', 'Nest coat over the control plane', 'base contract media catalog jobs onvif'],
  ['apps/recorder', 'Nest coat over the hot path', 'base contract onvif pipeline store timeline'],
  [
    'apps/transcoder',
    'Nest coat over renditions and exports',
    'base contract media transcode jobs',
  ],
  ['apps/console', 'React: what the operator sees', 'contract'],
  ['apps/simulator', 'cameras that do not exist', 'base media'],
  [
    'apps/cli',
    '`nightjar`: check, rebuild, export, verify, backup',
    'base contract store timeline media catalog',
  ],
  [
    'apps/launcher',
    'plain JavaScript that runs before anything is installed: installs, builds, starts and watches the processes',
    '',
  ],
  ['libs/base', 'time, errors, log, config, shutdown, bounded queue', ''],
  ['libs/contract', 'every shape that crosses a process boundary (zod); browser-safe', ''],
  ['libs/media', 'encoded media as values: frames, NAL units, SPS, fMP4; no I/O', 'base'],
  ['libs/rtsp', 'speaks to a camera, yields frames', 'base media'],
  ['libs/rtmp', 'takes the streams of cameras that push, yields frames', 'base media rtsp'],
  ['libs/onvif', 'finds, asks, moves a camera; its events', 'base'],
  ['libs/motion', 'frames in, motion level and cells out', 'base media'],
  ['libs/store', 'chunks on disk: append, seal, recover, read, scrub, drop', 'base media'],
  ['libs/timeline', 'the LSM: what exists when, motion, gaps, expiry', 'base media'],
  [
    'libs/pipeline',
    'the only room where camera, disk and viewer meet',
    'base media rtsp rtmp motion store timeline',
  ],
  ['libs/transcode', 'decode and encode, GPU first', 'base media'],
  [
    'libs/catalog',
    'what people declared: cameras, users, policy (TypeORM)',
    'base contract migrations',
  ],
  ['libs/jobs', 'durable work: typed job table, BullMQ on PostgreSQL or Redis', 'base contract'],
  ['migrations', 'TypeORM migrations for the catalog', ''],
].map(([path, purpose, imports]) => ({
  path,
  name: path.split('/').at(-1),
  purpose,
  imports: imports.split(' ').filter((name) => name !== ''),
}));

/** Where disk I/O belongs, besides apps: the store and the timeline. */
export const DISK_ROOMS = ['libs/store', 'libs/timeline'];

/** It closes what others left open, and opens nothing. */
export const CLOSES_FILES = 'libs/motion/src/inherited-files.ts';

/** Where raw sockets belong, besides the simulator, which plays a camera. */
export const SOCKET_ROOMS = [
  'libs/rtsp',
  'libs/rtmp',
  'libs/onvif',
  'apps/simulator',
  'apps/launcher',
];
