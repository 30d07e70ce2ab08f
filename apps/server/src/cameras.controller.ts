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
} from '@nestjs/common';
import { Catalog } from '#catalog';
import {
  cameraInputSchema,
  cameraPatchSchema,
  type Camera,
  type CameraInput,
  type CameraPatch,
} from '#contract';
import { CameraDesk } from './camera-desk.js';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';

@Controller('api/cameras')
export class CamerasController {
  constructor(
    @Inject(Catalog) private readonly catalog: Catalog,
    @Inject(CameraDesk) private readonly desk: CameraDesk,
  ) {}

  @Get()
  async list(): Promise<{ items: Camera[] }> {
    return { items: await this.catalog.cameras.list() };
  }

  @Post()
  add(
    @Body(new Fits(cameraInputSchema)) input: CameraInput,
    @Caller() caller: Principal,
  ): Promise<Camera> {
    return this.desk.add(input, caller);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Camera> {
    return this.catalog.cameras.get(id);
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body(new Fits(cameraPatchSchema)) patch: CameraPatch,
    @Caller() caller: Principal,
  ): Promise<Camera> {
    return this.desk.change(id, patch, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.remove(id, caller);
  }
}
