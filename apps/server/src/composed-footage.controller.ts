// The internal door for transcoders: what several recorders have of a camera, as if one had it.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import { cameraIdSchema, clipQuerySchema, instantInputSchema } from '#contract';
import { ComposedFootage, type Composed } from './composed-footage.js';
import { Fits } from './input.js';
import { parse } from './problem.js';

/** As a recorder takes it: pictures alone are wanted for renditions. */
const clipSchema = clipQuerySchema.and(z.object({ sound: z.enum(['none']).optional() }));
const stillQuerySchema = z.object({ at: instantInputSchema });

@Controller('internal/cameras/:id')
export class ComposedFootageController {
  constructor(@Inject(ComposedFootage) private readonly footage: ComposedFootage) {}

  @Get('clip.mp4')
  clip(
    @Param('id') id: string,
    @Res() response: Response,
    @Query(new Fits(clipSchema)) query: z.output<typeof clipSchema>,
  ): Promise<void> {
    const camera = parse(cameraIdSchema, id);
    return send(response, (signal) => this.footage.clip(camera, query, signal));
  }

  @Get('still')
  still(
    @Param('id') id: string,
    @Res() response: Response,
    @Query(new Fits(stillQuerySchema)) query: z.output<typeof stillQuerySchema>,
  ): Promise<void> {
    const camera = parse(cameraIdSchema, id);
    return send(response, (signal) => this.footage.still(camera, query.at, signal));
  }
}

async function send(
  response: Response,
  compose: (signal: AbortSignal) => Promise<Composed>,
): Promise<void> {
  const gone = new AbortController();
  const abort = () => gone.abort();
  response.once('close', abort);
  try {
    const { headers, bytes } = await compose(gone.signal);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    await pipeline(Readable.from(bytes), response);
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) response.destroy();
    else throw error;
  } finally {
    response.off('close', abort);
  }
}
