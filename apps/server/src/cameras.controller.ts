// Cameras: declared, changed and removed.

import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Req,
} from '@nestjs/common';
import type { Request } from 'express';
import { Catalog } from '#catalog';
import {
  cameraInputSchema,
  cameraPatchSchema,
  publishKeyInputSchema,
  type Camera,
  type CameraInput,
  type CameraPatch,
  type PublishKeyInput,
} from '#contract';
import { CameraDesk } from './camera-desk.js';
import { RetentionDesk } from './retention-desk.js';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';

@Controller('api/cameras')
export class CamerasController {
  constructor(
    @Inject(Catalog) private readonly catalog: Catalog,
    @Inject(CameraDesk) private readonly desk: CameraDesk,
    @Inject(RetentionDesk) private readonly retention: RetentionDesk,
  ) {}

  @Get()
  async list(): Promise<{ items: Camera[] }> {
    return { items: await this.catalog.cameras.list() };
  }

  @Post()
  async add(
    @Body(new Fits(cameraInputSchema)) input: CameraInput,
    @Caller() caller: Principal,
    @Req() request: Request,
  ): Promise<Camera> {
    return this.desk.withPublishUrls(await this.desk.add(input, caller), request.hostname);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Camera> {
    return this.catalog.cameras.get(id);
  }

  @Patch(':id')
  async change(
    @Param('id') id: string,
    @Body(new Fits(cameraPatchSchema)) patch: CameraPatch,
    @Caller() caller: Principal,
    @Req() request: Request,
  ): Promise<Camera> {
    return this.desk.withPublishUrls(await this.desk.change(id, patch, caller), request.hostname);
  }

  @Post(':id/publish-key')
  @HttpCode(200)
  async renewKey(
    @Param('id') id: string,
    @Body(new Fits(publishKeyInputSchema)) { track }: PublishKeyInput,
    @Caller() caller: Principal,
    @Req() request: Request,
  ): Promise<Camera> {
    return this.desk.withPublishUrls(await this.desk.renewKey(id, track, caller), request.hostname);
  }

  @Post(':id/pending-retention')
  @HttpCode(200)
  confirmRetention(@Param('id') id: string, @Caller() caller: Principal): Promise<Camera> {
    return this.retention.confirm(id, caller);
  }

  @Delete(':id/pending-retention')
  @HttpCode(200)
  withdrawRetention(@Param('id') id: string, @Caller() caller: Principal): Promise<Camera> {
    return this.retention.withdraw(id, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.remove(id, caller);
  }
}
