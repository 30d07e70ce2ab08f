// The internal door's exports: their files, with ranges, and their end.

import { Controller, Delete, Get, HttpCode, Inject, Param, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ExportShelf } from './export-shelf.js';
import { ExportWorker } from './export-worker.js';

@Controller('internal/exports')
export class ExportsController {
  constructor(
    @Inject(ExportShelf) private readonly shelf: ExportShelf,
    @Inject(ExportWorker) private readonly worker: ExportWorker | undefined,
  ) {}

  @Get(':id/file')
  async file(@Param('id') id: string, @Res() response: Response): Promise<void> {
    const name = await this.shelf.find(id);
    await new Promise<void>((resolve, reject) => {
      response
        .type('application/zip')
        .sendFile(
          name,
          { root: this.shelf.directory, dotfiles: 'allow', cacheControl: false },
          (error: (Error & { status?: number }) | undefined) => {
            // A client that left half-way, or asked for a range that is not there, was answered already.
            if (error === undefined || response.headersSent) resolve();
            else reject(error);
          },
        );
    });
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string): Promise<void> {
    this.worker?.stop(id);
    await this.shelf.remove(id);
  }
}
