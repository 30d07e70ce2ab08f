// The only place of the recorder that opens things.

import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock, Log, Shutdown } from '#base';
import { Playback, Recorder } from '#pipeline';
import type { RecorderConfig } from './config.js';
import { ControlController } from './control.controller.js';
import { ControlLink } from './control-link.js';
import { FootageController } from './footage.controller.js';
import { PARTS, type Parts } from './parts.js';
import { StateController } from './state.controller.js';

@Module({})
export class AppModule {
  /** Opens index, disks and cameras: it records when this resolves, whoever else is down. */
  static async open(o: {
    config: RecorderConfig;
    clock: Clock;
    log: Log;
    shutdown: Shutdown;
  }): Promise<{ module: DynamicModule; parts: Parts }> {
    const { config, clock, log, shutdown } = o;
    const reporter: { link?: ControlLink } = {};
    const recorder = await Recorder.open({
      directory: config.indexDirectory,
      storeDirectories: config.storeDirectories,
      clock,
      log,
      retention: { intervalMs: config.retentionIntervalMs },
      motionProcesses: config.motionProcesses,
      onEvent: (event) => reporter.link?.report(event),
    });
    shutdown.add('recorder', () => recorder.close());
    const link = new ControlLink({ ...config, recorder, clock, log });
    reporter.link = link;
    shutdown.add('control link', () => link.close());
    await link.applyCopy();
    const { timeline, store } = recorder;
    const playback = new Playback({ timeline, store, clock, log });
    const parts: Parts = { config, recorder, playback, link, clock, log };
    const module: DynamicModule = {
      module: AppModule,
      controllers: [StateController, ControlController, FootageController],
      providers: [{ provide: PARTS, useValue: parts }],
    };
    return { module, parts };
  }
}
