// Errors on the internal door: RFC 9457 problem details with the house's codes.

import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { NightjarError, problemDetails, toNightjarError, type Log } from '#base';

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
    const problem = problemDetails(error);
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
