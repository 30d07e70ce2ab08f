// The one place where an error becomes an answer.

import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { NightjarError, toNightjarError, type ErrorCode, type Log } from '#base';
import { problemOf } from './problem.js';

@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerError(thrown, http.getRequest<Request>(), http.getResponse<Response>(), this.#log);
  }
}

/** Also for errors of middleware, which Nest's filters do not see. */
export function answerError(thrown: unknown, request: Request, response: Response, log: Log): void {
  const error = errorOf(thrown);
  if (error.code === 'internal' || error.code === 'data-loss') {
    log.error({ err: thrown, method: request.method, path: request.path }, 'a request failed');
  }
  if (response.headersSent) {
    // A stream broke half-way: cutting the connection is the only word left.
    response.destroy();
    return;
  }
  const retryAfterSeconds = error.context['retryAfterSeconds'];
  if (typeof retryAfterSeconds === 'number') {
    response.setHeader('retry-after', String(retryAfterSeconds));
  }
  const problem = problemOf(error);
  response
    .status(problem.status)
    .setHeader('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

/** The framework's own refusals: unknown routes, bodies that are too large or not JSON. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-argument',
  404: 'not-found',
  413: 'invalid-argument',
  415: 'unsupported',
};

function errorOf(thrown: unknown): NightjarError {
  if (thrown instanceof NightjarError) return thrown;
  const status =
    thrown instanceof HttpException
      ? thrown.getStatus()
      : ((thrown as { status?: unknown } | undefined)?.status ?? 500);
  const code = typeof status === 'number' ? CODE_OF_STATUS[status] : undefined;
  if (code === undefined) return toNightjarError(thrown);
  const message = status === 404 ? 'there is nothing here' : (thrown as Error).message;
  return new NightjarError(code, message, {}, thrown);
}
