// The transcoder's parts, opened and put together in one place.

import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock, Log, Shutdown } from '#base';
import { detectHardware, Transcoder, type HardwareReport } from '#transcode';
import type { TranscoderConfig } from './config.js';
import { ExportKey } from './export-key.js';
import { ExportMaker } from './export-maker.js';
import { ExportShelf } from './export-shelf.js';
import { ExportWorker } from './export-worker.js';
import { ExportsController } from './exports.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RecorderDoor } from './recorder-door.js';
import { RenditionCache } from './rendition-cache.js';
import { RenditionDesk } from './rendition-desk.js';
import { RenditionsController } from './renditions.controller.js';
import { StatusController } from './status.controller.js';
import { StatusDesk } from './status-desk.js';
import { StillCache } from './still-cache.js';
import { StillDesk } from './still-desk.js';

const STILL_CACHE_BYTES = 32 * 1024 * 1024;

export interface AppOptions {
  readonly config: TranscoderConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly shutdown: Shutdown;
  /** Found out if absent. */
  readonly hardware?: HardwareReport;
}

@Module({})
export class AppModule {
  /** Opens everything the transcoder needs; `shutdown` closes it. */
  static async open(options: AppOptions): Promise<DynamicModule> {
    const { config, clock, log, shutdown } = options;
    const directory = (name: string) => join(config.dataDirectory, name);
    const [hardware, cache, shelf, key] = await Promise.all([
      options.hardware ?? detectHardware({ log }),
      RenditionCache.open({
        directory: directory('cache/renditions'),
        maxBytes: config.cacheBytes,
        clock,
        log,
      }),
      ExportShelf.open(directory('exports')),
      ExportKey.open(directory('secrets/export-key.pem')),
    ]);
    const transcoder = new Transcoder({
      log,
      hardware,
      ...(config.transcodes === undefined ? {} : { concurrency: config.transcodes }),
    });
    shutdown.add('transcoder', () => transcoder.close());
    const recorders = new RecorderDoor(config.internalSecret);
    const renditions = new RenditionDesk({ recorders, transcoder, cache });
    const stills = new StillDesk({
      recorders,
      transcoder,
      cache: new StillCache(STILL_CACHE_BYTES),
    });
    const maker = new ExportMaker({
      ...{ recorders, transcoder, shelf, key, clock },
      transcoderId: config.id,
    });
    const worker =
      config.jobs === undefined
        ? undefined
        : new ExportWorker({ location: config.jobs, maker, clock, log });
    if (worker !== undefined) shutdown.add('exports', () => worker.close());
    const status = new StatusDesk({
      ...{ transcoder, cache, renditions, worker },
      ...{ id: config.id, startedAtUnixMs: clock.nowUnixMs() },
    });
    const parts = [shelf, renditions, stills, status];
    return {
      module: AppModule,
      controllers: [RenditionsController, ExportsController, StatusController, MetricsController],
      providers: [
        ...parts.map((part) => ({ provide: part.constructor, useValue: part })),
        { provide: ExportWorker, useValue: worker },
      ],
    };
  }
}
