import type { CameraStatus, Storage } from '#contract';
import { summarise } from './summary.js';

const status = (state: CameraStatus['state'], more: Partial<CameraStatus> = {}): CameraStatus => ({
  state,
  recording: { active: state === 'online', mode: 'motion' },
  motion: { active: false, level: 0, detector: 'ok' },
  tracks: [],
  ...more,
});
const cameras = [
  { id: 'a', name: 'Gate' },
  { id: 'b', name: 'Yard' },
];
const house = { cameras, storage: undefined, serverAnswers: true };

test('all well is one green item and one quiet one', () => {
  const statuses = new Map([
    ['a', status('online')],
    ['b', status('online')],
  ]);
  expect(summarise({ ...house, statuses }).map((item) => [item.text, item.level])).toEqual([
    ['2 of 2 online', 'ok'],
    ['2 recording', 'quiet'],
  ]);
});

test('what is wrong comes first, with its reason', () => {
  const statuses = new Map([
    ['a', status('offline', { reason: 'no answer from 10.0.0.5' })],
    ['b', status('online', { reason: 'the disk is full' })],
  ]);
  const storage: Storage = {
    disks: [
      {
        path: '/data',
        state: 'full',
        sizeBytes: 1,
        freeBytes: 0,
        footageBytes: 1,
        reason: 'no space',
      },
    ],
    watermarks: { lowBytes: 0, criticalBytes: 0, stopBytes: 0 },
    cameras: [],
    nextDeletions: [],
    scrubs: [],
    warmTiers: [],
  };
  const items = summarise({ ...house, statuses, storage });
  expect(items.map((item) => item.text)).toEqual([
    'Gate offline',
    'Yard not as declared',
    'Disk full',
    '1 of 2 online',
    '1 recording',
  ]);
  expect(items[0]?.hint).toBe('Gate: No answer from 10.0.0.5.');
});

test('a silent server outranks everything', () => {
  expect(summarise({ ...house, statuses: new Map(), serverAnswers: false })).toHaveLength(1);
});
