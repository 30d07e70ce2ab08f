// The internal door: recorders and transcoders announce themselves and report what happened.

import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { z } from 'zod';
import { announceSchema, eventSchema, type Announce, type AnnounceAnswer } from '#contract';
import { EventDesk } from './event-desk.js';
import { Fits } from './input.js';
import { CameraSpread } from './camera-spread.js';

const eventsSchema = z.object({ events: z.array(eventSchema.omit({ id: true })).max(1000) });

@Controller('internal')
export class InternalController {
  constructor(
    @Inject(CameraSpread) private readonly spread: CameraSpread,
    @Inject(EventDesk) private readonly events: EventDesk,
  ) {}

  @Post('announce')
  @HttpCode(200)
  announce(@Body(new Fits(announceSchema)) announce: Announce): Promise<AnnounceAnswer> {
    return this.spread.announce(announce);
  }

  @Post('events')
  @HttpCode(204)
  report(@Body(new Fits(eventsSchema)) report: z.output<typeof eventsSchema>): Promise<void> {
    return this.events.publish(report.events);
  }
}
