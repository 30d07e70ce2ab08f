// Nest's own words, in the house's log: faults and warnings only.

import type { LoggerService } from '@nestjs/common';
import type { Log } from '#base';

export class NestLog implements LoggerService {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  log(): void {}

  error(message: unknown, ...rest: unknown[]): void {
    this.#log.error({ rest }, String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#log.warn({ rest }, String(message));
  }
}
