// What a recorder does and holds: status, timeline, motion, storage, deletions, metrics.

import { Controller, Get, Header, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import {
  CELL_COLUMNS,
  CELL_ROWS,
  cameraSharesQuerySchema,
  motionQuerySchema,
  retentionSchema,
  timelineQuerySchema,
  type CameraShares,
  type MotionAnswer,
  type Storage,
  type TimelineAnswer,
} from '#contract';
import { reportStorage, retentionEffect } from '#pipeline';
import {
  cameraStatusOf,
  cameraTimelineOf,
  deletionOf,
  instantOf,
  motionAnswerOf,
  regionCells,
  storageOf,
} from './mapping.js';
import { metricsText } from './metrics.js';
import { PARTS, type Parts } from './parts.js';
import { parse } from './problem.js';

const MOST_MOTION_ROWS = 5000;

const deletionsQuerySchema = z.object({
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
});

const effectQuerySchema = z.object({
  camera: z.uuid(),
  /** Other recorders hold footage of it, too. */
  shared: z.stringbool().default(false),
  retention: z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'expected JSON' });
        return z.NEVER;
      }
    })
    .pipe(retentionSchema),
});

@Controller('internal')
export class StateController {
  constructor(@Inject(PARTS) private readonly parts: Parts) {}

  @Get('status')
  status() {
    const { recorder, config, link } = this.parts;
    const faults = recorder.faults;
    return {
      recorder: {
        id: config.id,
        startedAt: instantOf(recorder.startedAtUnixUs),
        ...(link.configVersion === undefined ? {} : { configVersion: link.configVersion }),
      },
      cameras: recorder.reports().map((report) => ({
        id: report.id,
        status: cameraStatusOf(report),
      })),
      healthy: faults.length === 0,
      faults: faults.map(({ message }) => message),
      // Beside each fault, for those who may not read it.
      faultKinds: faults.map(({ kind, device }) => ({
        ...{ kind, ...(device === undefined ? {} : { device }) },
      })),
      warnings: recorder.warnings,
    };
  }

  @Get('timeline')
  async timeline(@Query() query: unknown): Promise<TimelineAnswer> {
    const { cameras, from, to } = parse(timelineQuerySchema, query);
    const { timeline } = this.parts.recorder;
    const nowUnixUs = this.parts.clock.nowUnixUs();
    const period = { fromUnixUs: from * 1000, toUnixUs: to * 1000, nowUnixUs };
    const { fromUnixUs, toUnixUs } = period;
    const answers = cameras.map(async (camera) => {
      const [recordings, gaps, motion] = await Promise.all([
        timeline.recordings(camera, fromUnixUs, toUnixUs),
        timeline.gaps(camera, fromUnixUs, toUnixUs),
        timeline.motion({ cameras: [camera], fromUnixUs, toUnixUs, limit: MOST_MOTION_ROWS }),
      ]);
      return cameraTimelineOf(camera, { recordings, gaps, motion: motion.items }, period);
    });
    return { cameras: await Promise.all(answers) };
  }

  @Get('motion')
  async motion(@Query() query: unknown): Promise<MotionAnswer> {
    const { cameras, from, to, region, minLevel, limit, cursor } = parse(motionQuerySchema, query);
    const page = await this.parts.recorder.timeline.motion({
      cameras,
      fromUnixUs: from * 1000,
      toUnixUs: to * 1000,
      minLevel,
      limit,
      ...(region === undefined ? {} : { cells: regionCells(region, CELL_COLUMNS, CELL_ROWS) }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return motionAnswerOf(page);
  }

  @Get('storage')
  async storage(): Promise<Storage> {
    const { recorder, config, clock } = this.parts;
    const { store, timeline, retention, scrub, warm } = recorder;
    const report = await reportStorage({
      ...{ clock, store, timeline, retention, scrub, warm },
      retentionOf: (camera) => recorder.retentionOf(camera),
      writeRates: () => recorder.writeRates(),
    });
    return storageOf(report, config.id);
  }

  @Get('camera-shares')
  async cameraShares(@Query() query: unknown): Promise<CameraShares> {
    const { cameras } = parse(cameraSharesQuerySchema, query);
    const items = await this.parts.recorder.retention.shares(cameras);
    return { recorder: this.parts.config.id, items };
  }

  @Get('retention-effect')
  async retentionEffect(@Query() query: unknown) {
    const { camera, retention, shared } = parse(effectQuerySchema, query);
    const { recorder, clock } = this.parts;
    const { fromUnixUs, toUnixUs, next, ...rest } = await retentionEffect({
      ...{ timeline: recorder.timeline, camera, now: recorder.retentionOf(camera) },
      ...{ next: retention, nowUnixUs: clock.nowUnixUs() },
      othersHoldSome: shared,
      isWriting: (chunkId) => recorder.isWriting(chunkId),
    });
    return {
      ...rest,
      ...(fromUnixUs === undefined ? {} : { from: instantOf(fromUnixUs) }),
      ...(toUnixUs === undefined ? {} : { to: instantOf(toUnixUs) }),
      ...(next === undefined
        ? {}
        : {
            next: next.map((part) => ({
              ...{ bytes: part.bytes, chunks: part.chunks },
              ...{ from: instantOf(part.fromUnixUs), to: instantOf(part.toUnixUs) },
            })),
          }),
    };
  }

  @Get('deletions')
  async deletions(@Query() query: unknown) {
    const { after, limit } = parse(deletionsQuerySchema, query);
    const rows = await this.parts.recorder.timeline.deletions({
      limit,
      ...(after === undefined ? {} : { after }),
    });
    const cursor = rows.at(-1)?.id ?? after;
    return { items: rows.map(deletionOf), ...(cursor === undefined ? {} : { cursor }) };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return metricsText(this.parts.recorder, this.parts.playback);
  }
}
