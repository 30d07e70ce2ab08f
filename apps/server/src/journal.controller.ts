// What happened and who did what, page by page.

import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { z } from 'zod';
import { Catalog, type Page } from '#catalog';
import {
  pageQuerySchema,
  type AuditEntry,
  type NightjarEvent,
  type RecordedDeletion,
} from '#contract';
import { Fits } from './input.js';

type PageQuery = z.output<typeof pageQuerySchema>;

@Controller('api')
export class JournalController {
  constructor(@Inject(Catalog) private readonly catalog: Catalog) {}

  @Get('audit')
  audit(@Query(new Fits(pageQuerySchema)) query: PageQuery): Promise<Page<AuditEntry>> {
    return this.catalog.audit.list(query);
  }

  @Get('deletions')
  deletions(@Query(new Fits(pageQuerySchema)) query: PageQuery): Promise<Page<RecordedDeletion>> {
    return this.catalog.audit.deletions(query);
  }

  @Get('events')
  events(@Query(new Fits(pageQuerySchema)) query: PageQuery): Promise<Page<NightjarEvent>> {
    return this.catalog.events.list(query);
  }
}
