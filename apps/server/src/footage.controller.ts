// The past: playlists, slices, clips and stills, passed on from whoever has or makes them.

import {
  Controller,
  createParamDecorator,
  Get,
  Inject,
  Query,
  Res,
  type ExecutionContext,
} from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { clipQuerySchema, frameQuerySchema, playlistQuerySchema } from '#contract';
import { FootageDesk, type FootageCall } from './footage-desk.js';
import { Fits } from './input.js';
import { callerOf, type AdmittedRequest } from './session-guard.js';

type Asking = Omit<FootageCall, 'response'>;

/** Who asks for footage of which camera. */
const Asked = createParamDecorator((_: unknown, context: ExecutionContext): Asking => {
  const request = context.switchToHttp().getRequest<AdmittedRequest>();
  return { camera: String(request.params['id']), caller: callerOf(request), request };
});

@Controller('api/cameras/:id')
export class FootageController {
  constructor(@Inject(FootageDesk) private readonly desk: FootageDesk) {}

  @Get('playback.m3u8')
  playlist(
    @Asked() asked: Asking,
    @Res() response: Response,
    @Query(new Fits(playlistQuerySchema)) query: z.output<typeof playlistQuerySchema>,
  ): Promise<void> {
    return this.desk.playlist({ ...asked, response }, query);
  }

  @Get('init.mp4')
  init(@Asked() asked: Asking, @Res() response: Response): Promise<void> {
    return this.desk.part({ ...asked, response }, 'init');
  }

  @Get('slice.m4s')
  slice(@Asked() asked: Asking, @Res() response: Response): Promise<void> {
    return this.desk.part({ ...asked, response }, 'slice');
  }

  @Get('clip.mp4')
  clip(
    @Asked() asked: Asking,
    @Res() response: Response,
    @Query(new Fits(clipQuerySchema)) query: z.output<typeof clipQuerySchema>,
  ): Promise<void> {
    return this.desk.clip({ ...asked, response }, query);
  }

  @Get('frame.jpg')
  frame(
    @Asked() asked: Asking,
    @Res() response: Response,
    @Query(new Fits(frameQuerySchema)) query: z.output<typeof frameQuerySchema>,
  ): Promise<void> {
    return this.desk.frame({ ...asked, response }, query);
  }

  @Get('live.mp4')
  live(@Asked() asked: Asking, @Res() response: Response): Promise<void> {
    return this.desk.live({ ...asked, response });
  }
}
