// Exports: asked for, looked at, fetched, deleted.

import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Page } from '#catalog';
import { exportInputSchema, pageQuerySchema, type Export, type ExportInput } from '#contract';
import { ExportDesk } from './export-desk.js';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';

@Controller('api/exports')
export class ExportsController {
  constructor(@Inject(ExportDesk) private readonly desk: ExportDesk) {}

  @Get()
  list(
    @Query(new Fits(pageQuerySchema)) query: z.output<typeof pageQuerySchema>,
  ): Promise<Page<Export>> {
    return this.desk.list(query);
  }

  @Post()
  @HttpCode(202)
  start(
    @Body(new Fits(exportInputSchema)) input: ExportInput,
    @Caller() caller: Principal,
  ): Promise<Export> {
    return this.desk.start(input, caller);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Export> {
    return this.desk.get(id);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.remove(id, caller);
  }

  @Get(':id/file')
  file(
    @Param('id') id: string,
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.desk.file(id, { request, response, caller });
  }
}
