// Cameras that are not declared yet: found on the network, asked, tried.

import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import {
  onvifInputSchema,
  probeInputSchema,
  type CameraStatus,
  type DiscoveredCamera,
  type OnvifDevice,
  type ProbeInput,
  type ProbeResult,
} from '#contract';
import { Discovery } from './discovery.js';
import { Fits } from './input.js';
import { StatusDesk } from './status-desk.js';

@Controller('api')
export class DiscoveryController {
  constructor(
    @Inject(Discovery) private readonly discovery: Discovery,
    @Inject(StatusDesk) private readonly statuses: StatusDesk,
  ) {}

  @Get('discovery')
  async discover(): Promise<{ items: DiscoveredCamera[] }> {
    return { items: await this.discovery.discover() };
  }

  @Post('discovery/device')
  @HttpCode(200)
  device(
    @Body(new Fits(onvifInputSchema)) access: z.output<typeof onvifInputSchema>,
  ): Promise<OnvifDevice> {
    return this.discovery.describe(access);
  }

  @Post('cameras/probe')
  @HttpCode(200)
  probe(@Body(new Fits(probeInputSchema)) input: ProbeInput): Promise<ProbeResult> {
    return this.discovery.probe(input);
  }

  @Get('cameras/:id/status')
  status(@Param('id') id: string): Promise<CameraStatus> {
    return this.statuses.get(id);
  }
}
