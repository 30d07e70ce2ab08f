// The past: playlists, slices, clips and stills, passed on from whoever has or makes them.

import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { clipQuerySchema, frameQuerySchema, playlistQuerySchema } from '#contract';
import { FootageDesk } from './footage-desk.js';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';

@Controller('api/cameras/:id')
export class FootageController {
  constructor(@Inject(FootageDesk) private readonly desk: FootageDesk) {}

  @Get('playback.m3u8')
  playlist(
    @Param('id') camera: string,
    @Query(new Fits(playlistQuerySchema)) query: z.output<typeof playlistQuerySchema>,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.playlist({ camera, caller, request, response }, query);
  }

  @Get('init.mp4')
  init(
    @Param('id') camera: string,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.part({ camera, caller, request, response }, 'init');
  }

  @Get('slice.m4s')
  slice(
    @Param('id') camera: string,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.part({ camera, caller, request, response }, 'slice');
  }

  @Get('clip.mp4')
  clip(
    @Param('id') camera: string,
    @Query(new Fits(clipQuerySchema)) query: z.output<typeof clipQuerySchema>,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.clip({ camera, caller, request, response }, query);
  }

  @Get('frame.jpg')
  frame(
    @Param('id') camera: string,
    @Query(new Fits(frameQuerySchema)) query: z.output<typeof frameQuerySchema>,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.frame({ camera, caller, request, response }, query);
  }

  @Get('live.mp4')
  live(
    @Param('id') camera: string,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.live({ camera, caller, request, response });
  }
}
