// The recorders: listed, drained, forgotten.

import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch } from '@nestjs/common';
import { recorderPatchSchema, type RecorderPatch, type RecorderView } from '#contract';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { RecorderDesk } from './recorder-desk.js';
import { Caller } from './session-guard.js';

@Controller('api/recorders')
export class RecordersController {
  constructor(@Inject(RecorderDesk) private readonly desk: RecorderDesk) {}

  @Get()
  list(): { items: RecorderView[] } {
    return { items: this.desk.list() };
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body(new Fits(recorderPatchSchema)) patch: RecorderPatch,
    @Caller() caller: Principal,
  ): Promise<RecorderView> {
    return this.desk.drain(id, patch.drained, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  forget(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.forget(id, caller);
  }
}
