// Moving cameras, request by request.

import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { ptzMoveSchema, ptzPresetInputSchema, type PtzMove, type PtzPreset } from '#contract';
import { AuditDesk } from './audit-desk.js';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { PtzDesk, type Operator } from './ptz-desk.js';
import { Caller } from './session-guard.js';

@Controller('api/cameras/:id/ptz')
export class PtzController {
  constructor(
    @Inject(PtzDesk) private readonly desk: PtzDesk,
    @Inject(AuditDesk) private readonly audit: AuditDesk,
  ) {}

  @Post('move')
  @HttpCode(200)
  async move(
    @Param('id') camera: string,
    @Body(new Fits(ptzMoveSchema)) speed: PtzMove,
    @Caller() caller: Principal,
  ): Promise<object> {
    await this.desk.move(camera, speed, operatorOf(caller));
    return {};
  }

  @Post('stop')
  @HttpCode(200)
  async stop(@Param('id') camera: string, @Caller() caller: Principal): Promise<object> {
    await this.desk.stop(camera, operatorOf(caller));
    return {};
  }

  @Get('presets')
  async presets(@Param('id') camera: string): Promise<{ items: PtzPreset[] }> {
    return { items: await this.desk.presets(camera) };
  }

  @Post('presets')
  async savePreset(
    @Param('id') camera: string,
    @Body(new Fits(ptzPresetInputSchema)) input: z.output<typeof ptzPresetInputSchema>,
    @Caller() caller: Principal,
  ): Promise<PtzPreset> {
    const preset = await this.desk.savePreset(camera, input.name, operatorOf(caller));
    await this.audit.record(caller, {
      action: 'ptz.save-preset',
      subject: camera,
      detail: { ...preset },
    });
    return preset;
  }

  @Post('presets/:token/goto')
  @HttpCode(200)
  async goToPreset(
    @Param('id') camera: string,
    @Param('token') token: string,
    @Caller() caller: Principal,
  ): Promise<object> {
    await this.desk.goToPreset(camera, token, operatorOf(caller));
    await this.audit.record(caller, {
      action: 'ptz.go-to-preset',
      subject: camera,
      detail: { token },
    });
    return {};
  }
}

function operatorOf({ session, address }: Principal): Operator {
  return { key: `session ${session.id}`, name: session.user.username, address };
}
