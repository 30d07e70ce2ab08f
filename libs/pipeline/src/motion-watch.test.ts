// Where movement is learned from: what one source said last does not go on when it is left.

import { FakeClock } from '#base/testing';
import {
  CELL_BYTES,
  type MotionChannel,
  type MotionChannelOptions,
  type MotionSample,
  type MotionService,
} from '#motion';
import type { AlarmListener } from './camera-alarms.js';
import type { CameraSettings, MotionSource } from './camera-settings.js';
import { TrackHub } from './hub.js';
import { MotionWatch } from './motion-watch.js';

const settingsOf = (source: MotionSource): CameraSettings => ({
  id: 'camera',
  name: 'Gate',
  streams: { main: 'rtsp://192.0.2.1/' },
  transport: 'tcp',
  recording: { mode: 'motion', preRollSeconds: 5, postRollSeconds: 10 },
  retention: { days: 30 },
  motion: { source, sensitivity: 0.5 },
  onvif: { url: 'http://192.0.2.1/' },
});

function rig() {
  const channels: MotionChannelOptions[] = [];
  const motion = {
    open: (options: MotionChannelOptions) => {
      channels.push(options);
      const channel = { state: 'ok', setFormat() {}, setSettings() {}, offer() {}, close() {} };
      return channel as unknown as MotionChannel;
    },
  } as unknown as MotionService;
  const moving: boolean[] = [];
  const samples: MotionSample[] = [];
  let alarms: AlarmListener | undefined;
  const watch = new MotionWatch({
    motion,
    clock: new FakeClock(),
    openAlarms: (_, listener) => {
      alarms = listener;
      return { endlessAlarms: 0, close: () => Promise.resolve() };
    },
    onSample: (sample) => samples.push(sample),
    onMoving: (isMoving) => moving.push(isMoving),
    onState: () => undefined,
  });
  const see = (isMoving: boolean) =>
    channels.at(-1)?.onSample({
      atUnixUs: 1,
      level: isMoving ? 0.7 : 0,
      moving: isMoving,
      cells: new Uint8Array(CELL_BYTES),
    });
  return { watch, hub: new TrackHub(), see, moving, samples, alarm: () => alarms };
}

test.each(['onvif', 'off'] as const)(
  'movement that was seen ends when from then on the source is %s',
  (source) => {
    const { watch, hub, see, moving, samples } = rig();
    watch.watch(hub, settingsOf('video'));
    see(true);
    expect(moving).toEqual([true]);
    // As when an address of the camera changes with it.
    watch.leaveVideo();
    watch.watch(hub, settingsOf(source));
    expect(moving).toEqual([true, false]);
    expect(samples.at(-1)).toMatchObject({ moving: false, level: 0 });
  },
);

test('a picture that is looked at anew goes on as it was until it says something else', () => {
  const { watch, hub, see, moving, alarm } = rig();
  watch.watch(hub, settingsOf('both'));
  see(true);
  watch.leaveVideo();
  watch.watch(new TrackHub(), settingsOf('both'));
  expect(moving).toEqual([true]);
  alarm()?.onMotion(true);
  alarm()?.onMotion(false);
  expect(moving.at(-1)).toBe(true);
  see(false);
  expect(moving.at(-1)).toBe(false);
});
