// The past of a camera as media, and its present as an endless file.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { NightjarError } from '#base';
import { cameraIdSchema, instantInputSchema, renditionSchema } from '#contract';
import { streamLive } from './live-file.js';
import { gapsHeader, instantOf } from './mapping.js';
import { PARTS, type Parts } from './parts.js';
import { parse } from './problem.js';

const periodSchema = z
  .object({ from: instantInputSchema, to: instantInputSchema })
  .refine((query) => query.from < query.to, 'expected from before to');
const playlistSchema = periodSchema.and(z.object({ rendition: renditionSchema.default('source') }));
const unixUs = z.coerce.number().int().min(0).max(9e15);
const track = z.enum(['main', 'sub']).default('main');
/** Where the sound begins that goes with it; without it there is none. */
const sound = unixUs.optional();
const initSchema = z.object({ track, from: unixUs, sound });
const sliceSchema = z.object({ track, from: unixUs, last: unixUs, to: unixUs, sound });
const clipSchema = periodSchema.and(z.object({ sound: z.enum(['none']).optional() }));
const stillSchema = z.object({ at: instantInputSchema });
const SOUND_LATE_US = 10_000_000;
/** What a slice holds never changes; its address does. */
const FOREVER = 'private, max-age=31536000, immutable';

@Controller('internal/cameras/:id')
export class FootageController {
  constructor(@Inject(PARTS) private readonly parts: Parts) {}

  @Get('playback.m3u8')
  async playlist(@Param('id') id: string, @Query() query: unknown, @Res() response: Response) {
    const camera = parse(cameraIdSchema, id);
    const { from, to, rendition } = parse(playlistSchema, query);
    const period = { camera, fromUnixUs: from * 1000, toUnixUs: to * 1000 };
    const suffix = rendition === 'source' ? '' : `&rendition=${rendition}`;
    const text = await this.parts.playback.playlist(period, suffix);
    response.type('application/vnd.apple.mpegurl').send(text);
  }

  @Get('init.mp4')
  async init(@Param('id') id: string, @Query() query: unknown, @Res() response: Response) {
    const camera = parse(cameraIdSchema, id);
    const { track, from, sound } = parse(initSchema, query);
    const bytes = await this.parts.playback.init({ camera, track, fromUnixUs: from }, sound);
    response.setHeader('cache-control', FOREVER);
    response.type('video/mp4').send(bytes);
  }

  @Get('slice.m4s')
  async slice(@Param('id') id: string, @Query() query: unknown, @Res() response: Response) {
    const camera = parse(cameraIdSchema, id);
    const { track, from, last, to, sound } = parse(sliceSchema, query);
    const address = { camera, track, fromUnixUs: from, lastUnixUs: last, toUnixUs: to };
    const parts = await this.parts.playback.slice(address, sound);
    // The last of its sound may come into the index after its picture.
    const settled = sound === undefined || to < this.parts.clock.nowUnixUs() - SOUND_LATE_US;
    response.setHeader('cache-control', settled ? FOREVER : 'no-store');
    response.setHeader(
      'content-length',
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    response.type('video/iso.segment');
    await pipeline(Readable.from(parts), response);
  }

  @Get('clip.mp4')
  async clip(@Param('id') id: string, @Query() query: unknown, @Res() response: Response) {
    const camera = parse(cameraIdSchema, id);
    const { from, to, sound } = parse(clipSchema, query);
    const period = { camera, fromUnixUs: from * 1000, toUnixUs: to * 1000 };
    const wanted = sound === 'none' ? 'silent' : 'with-sound';
    const { gaps, bytes } = await this.parts.playback.clip(period, wanted);
    const told = gapsHeader(gaps);
    if (told !== undefined) response.setHeader('nightjar-gaps', told);
    const name = `${instantOf(period.fromUnixUs).replaceAll(':', '-')}.mp4`;
    response.setHeader('content-disposition', `attachment; filename="${name}"`);
    response.type('video/mp4');
    await untilGone(pipeline(Readable.from(bytes), response));
  }

  @Get('still')
  async still(@Param('id') id: string, @Query() query: unknown, @Res() response: Response) {
    const camera = parse(cameraIdSchema, id);
    const { at } = parse(stillSchema, query);
    const still = await this.parts.playback.still(camera, at * 1000);
    if (still === undefined) {
      throw new NightjarError('not-found', `there is no footage at ${instantOf(at * 1000)}`);
    }
    response.setHeader('nightjar-frame-time', String(still.frameUnixUs));
    response.type('application/octet-stream');
    response.send(Buffer.concat(still.bytes));
  }

  @Get('live.mp4')
  async live(@Param('id') id: string, @Req() request: Request, @Res() response: Response) {
    const track = request.query['track'] === 'sub' ? 'sub' : 'main';
    await streamLive(this.parts, { camera: parse(cameraIdSchema, id), track }, response);
  }
}

/** A reader that leaves before the end is no fault. */
async function untilGone(sending: Promise<void>): Promise<void> {
  try {
    await sending;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
