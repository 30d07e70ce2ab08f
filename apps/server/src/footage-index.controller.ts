// What exists when: timelines, motion, storage.

import { Controller, Get, Inject, Query } from '@nestjs/common';
import {
  motionQuerySchema,
  timelineQuerySchema,
  type MotionAnswer,
  type MotionQuery,
  type Storage,
  type TimelineAnswer,
  type TimelineQuery,
} from '#contract';
import { FootageIndex } from './footage-index.js';
import { Fits } from './input.js';

@Controller('api')
export class FootageIndexController {
  constructor(@Inject(FootageIndex) private readonly index: FootageIndex) {}

  @Get('timeline')
  timeline(@Query(new Fits(timelineQuerySchema)) query: TimelineQuery): Promise<TimelineAnswer> {
    return this.index.timeline(query);
  }

  @Get('motion')
  motion(@Query(new Fits(motionQuerySchema)) query: MotionQuery): Promise<MotionAnswer> {
    return this.index.motion(query);
  }

  @Get('storage')
  storage(): Promise<Storage> {
    return this.index.storage();
  }
}
