// Legal holds: placed, listed and lifted.

import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { Catalog } from '#catalog';
import { holdInputSchema, type Hold, type HoldInput } from '#contract';
import type { Principal } from './gatekeeper.js';
import { HoldDesk } from './hold-desk.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';

@Controller('api/holds')
export class HoldsController {
  constructor(
    @Inject(Catalog) private readonly catalog: Catalog,
    @Inject(HoldDesk) private readonly desk: HoldDesk,
  ) {}

  @Get()
  async list(): Promise<{ items: Hold[] }> {
    return { items: await this.catalog.holds.list() };
  }

  @Post()
  place(
    @Body(new Fits(holdInputSchema)) input: HoldInput,
    @Caller() caller: Principal,
  ): Promise<Hold> {
    return this.desk.place(input, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  lift(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.lift(id, caller);
  }
}
