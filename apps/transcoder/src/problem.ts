// Errors on the internal door: RFC 9457 problem details with the house's codes.

import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { NightjarError, toNightjarError, type ErrorCode, type Log } from '#base';
import type { Problem } from '#contract';

const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  'invalid-argument': 400,
  unauthenticated: 401,
  'permission-denied': 403,
  'not-found': 404,
  conflict: 409,
  'failed-precondition': 409,
  unsupported: 415,
  'resource-exhausted': 429,
  cancelled: 499,
  'data-loss': 500,
  internal: 500,
  unavailable: 503,
  timeout: 504,
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const error =
      thrown instanceof HttpException && thrown.getStatus() === 404
        ? new NightjarError('not-found', 'there is nothing here')
        : toNightjarError(thrown);
    if (error.code === 'internal') {
      this.#log.error({ err: thrown, path: request.path }, 'a request failed');
    }
    if (response.headersSent || response.destroyed) {
      // A stream that broke half-way can only be cut.
      response.destroy();
      return;
    }
    const status = STATUS_OF[error.code];
    const problem: Problem = {
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: error.message,
      code: error.code,
    };
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
