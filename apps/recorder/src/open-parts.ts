// Opens everything that a recorder records with. It knows no framework: loading one takes most of a
// second, and cameras are to be recorded meanwhile.

import type { Clock, Log, Shutdown } from '#base';
import { EventSource } from '#onvif';
import { Playback, Recorder } from '#pipeline';
import type { RecorderConfig } from './config.js';
import { ControlLink } from './control-link.js';
import { ElsewhereBook } from './elsewhere.js';
import type { Parts } from './parts.js';

/** It records what it was told last when this resolves, whoever else is down. */
export async function openParts(o: {
  config: RecorderConfig;
  clock: Clock;
  log: Log;
  shutdown: Shutdown;
}): Promise<Parts> {
  const { config, clock, log, shutdown } = o;
  const reporter: { link?: ControlLink; elsewhere?: ElsewhereBook } = {};
  const recorder = await Recorder.open({
    directory: config.indexDirectory,
    storeDirectories: config.storeDirectories,
    clock,
    log,
    store: { threads: config.threads },
    retention: {
      intervalMs: config.retentionIntervalMs,
      elsewhere: (cameras) => reporter.elsewhere?.ask(cameras) ?? Promise.resolve(new Map()),
    },
    warm:
      config.warmDirectories === undefined
        ? undefined
        : {
            directories: config.warmDirectories,
            afterDays: config.warmAfterDays,
            maxBytesPerSecond: config.warmBytesPerSecond,
          },
    scrub: { periodDays: config.scrubDays, maxBytesPerSecond: config.scrubBytesPerSecond },
    motionProcesses: config.motionProcesses,
    recorders: config.recorders,
    push: config.push,
    openAlarms: ({ id, onvif }, listener) =>
      new EventSource({
        address: onvif,
        clock,
        log: log.child({ camera: id }),
        onMotion: (active) => listener.onMotion(active),
        onState: (state, message) => listener.onState(state, message),
      }),
    ingestTurnMs: config.ingestTurnMs,
    onEvent: (event) => reporter.link?.report(event),
  });
  shutdown.add('recorder', () => recorder.close());
  const { timeline, store, damage } = recorder;
  reporter.elsewhere = new ElsewhereBook({ ...config, timeline, clock, log });
  const link = new ControlLink({
    ...config,
    takesPushes: config.push.port !== 0,
    recorder,
    clock,
    log,
  });
  reporter.link = link;
  shutdown.add('control link', () => link.close());
  await link.applyCopy();
  const playback = new Playback({ timeline, store, damage, clock, log });
  return { config, recorder, playback, link, clock, log };
}
