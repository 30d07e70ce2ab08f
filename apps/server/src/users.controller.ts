// Users: added, changed and deleted by administrators.

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
  userInputSchema,
  userPatchSchema,
  type User,
  type UserInput,
  type UserPatch,
} from '#contract';
import type { Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';
import { UserDesk } from './user-desk.js';

@Controller('api/users')
export class UsersController {
  constructor(
    @Inject(Catalog) private readonly catalog: Catalog,
    @Inject(UserDesk) private readonly desk: UserDesk,
  ) {}

  @Get()
  async list(): Promise<{ items: User[] }> {
    return { items: await this.catalog.users.list() };
  }

  @Post()
  add(
    @Body(new Fits(userInputSchema)) input: UserInput,
    @Caller() caller: Principal,
  ): Promise<User> {
    return this.desk.add(input, caller);
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body(new Fits(userPatchSchema)) patch: UserPatch,
    @Caller() caller: Principal,
  ): Promise<User> {
    return this.desk.change(id, patch, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') id: string, @Caller() caller: Principal): Promise<void> {
    return this.desk.remove(id, caller);
  }
}
