// What others ask a recorder to do: take over a changed configuration, look at a camera.

import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { probeInputSchema, type ProbeResult } from '#contract';
import { probe } from './camera-probe.js';
import { PARTS, type Parts } from './parts.js';
import { parse } from './problem.js';

@Controller('internal')
export class ControlController {
  constructor(@Inject(PARTS) private readonly parts: Parts) {}

  @Post('refresh')
  @HttpCode(200)
  async refresh(): Promise<{ configVersion?: string }> {
    const { link } = this.parts;
    await link.refresh();
    return link.configVersion === undefined ? {} : { configVersion: link.configVersion };
  }

  @Post('probe')
  @HttpCode(200)
  probe(@Body() body: unknown): Promise<ProbeResult> {
    return probe(parse(probeInputSchema, body), this.parts.clock);
  }
}
