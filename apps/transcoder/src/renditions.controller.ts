// The internal door's pictures: slices, their initialisations, stills.

import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { readSliceOrder, readStillOrder } from './orders.js';
import { FRAME_TIME_HEADER } from './recorder-door.js';
import { RenditionDesk } from './rendition-desk.js';
import { StillDesk } from './still-desk.js';

/** What an address of a slice names never changes; how it is encoded may, with the machines. */
const KEEP_SLICE = 'private, max-age=3600';
/** The picture of a moment that is hardly over may yet be another. */
const KEEP_STILL = 'private, max-age=30';

@Controller('internal')
export class RenditionsController {
  constructor(
    @Inject(RenditionDesk) private readonly renditions: RenditionDesk,
    @Inject(StillDesk) private readonly stills: StillDesk,
  ) {}

  @Get('init')
  async init(@Req() request: Request, @Res() response: Response): Promise<void> {
    const init = await this.renditions.init(readSliceOrder(searchOf(request)), leaving(response));
    response.setHeader('cache-control', KEEP_SLICE).type('video/mp4').send(init);
  }

  @Get('slice')
  async slice(@Req() request: Request, @Res() response: Response): Promise<void> {
    const parts = this.renditions.slice(readSliceOrder(searchOf(request)), leaving(response));
    for await (const part of parts) {
      // Set with the first part, so that what fails before it is still answered as a problem.
      if (!response.headersSent) {
        response.setHeader('cache-control', KEEP_SLICE).type('video/iso.segment').flushHeaders();
      }
      response.write(part);
    }
    response.end();
  }

  @Get('frame.jpg')
  async frame(@Req() request: Request, @Res() response: Response): Promise<void> {
    const order = readStillOrder(searchOf(request));
    const { jpeg, frameTime } = await this.stills.still(order, leaving(response));
    if (frameTime !== undefined) response.setHeader(FRAME_TIME_HEADER, frameTime);
    response.setHeader('cache-control', KEEP_STILL).type('image/jpeg').send(jpeg);
  }
}

function searchOf(request: Request): string {
  return request.originalUrl.split('?')[1] ?? '';
}

/** Aborts when the other side goes away before its answer is whole. */
function leaving(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}
