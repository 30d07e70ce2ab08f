// The internal door: recorders and transcoders announce themselves and report what happened.

import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import {
  announceSchema,
  cameraSharesQuerySchema,
  eventSchema,
  type Announce,
  type AnnounceAnswer,
  type OtherShares,
} from '#contract';
import { CameraSharesDesk } from './camera-shares.js';
import { EventDesk } from './event-desk.js';
import { Fits } from './input.js';
import { CameraSpread } from './camera-spread.js';

const eventsSchema = z.object({ events: z.array(eventSchema.omit({ id: true })).max(1000) });

@Controller('internal')
export class InternalController {
  constructor(
    @Inject(CameraSpread) private readonly spread: CameraSpread,
    @Inject(EventDesk) private readonly events: EventDesk,
    @Inject(CameraSharesDesk) private readonly shares: CameraSharesDesk,
  ) {}

  @Post('announce')
  @HttpCode(200)
  announce(@Body(new Fits(announceSchema)) announce: Announce): Promise<AnnounceAnswer> {
    return this.spread.announce(announce);
  }

  @Get('camera-shares')
  cameraShares(
    @Query(new Fits(cameraSharesQuerySchema)) query: z.output<typeof cameraSharesQuerySchema>,
  ): Promise<OtherShares> {
    return this.shares.others(query.recorder, query.cameras);
  }

  @Post('events')
  @HttpCode(204)
  report(@Body(new Fits(eventsSchema)) report: z.output<typeof eventsSchema>): Promise<void> {
    return this.events.publish(report.events);
  }
}
