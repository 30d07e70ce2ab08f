import type { CameraStatus, Health } from '#contract';
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
const house = {
  ...{ cameras, serverAnswers: true },
  health: { status: 'ok', faults: [], warnings: [] } satisfies Health,
};

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
  const health: Health = {
    status: 'failing',
    faults: [
      { kind: 'recorder', recorder: 'one', message: '/data: no space' },
      { kind: 'camera', camera: 'a', message: 'the camera is offline' },
    ],
    warnings: ['one: damaged footage: 1 chunk cannot be read in full', 'two: more'],
  };
  const items = summarise({ ...house, statuses, health });
  expect(items.map((item) => item.text)).toEqual([
    'Gate offline',
    'Yard not as declared',
    '1 alarm',
    '2 warnings',
    '1 of 2 online',
    '1 recording',
  ]);
  expect(items[2]).toMatchObject({ hint: '/data: no space.', level: 'bad', to: '/storage' });
  expect(items[0]?.hint).toBe('Gate: No answer from 10.0.0.5.');
});

test('a silent server outranks everything', () => {
  expect(summarise({ ...house, statuses: new Map(), serverAnswers: false })).toHaveLength(1);
});
