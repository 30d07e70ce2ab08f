// Errors on the internal door: RFC 9457 problem details with the code of the house.

import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import type { z } from 'zod';
import { NightjarError, problemDetails, toNightjarError, type Log } from '#base';
import type { Problem } from '#contract';

export function problemOf(thrown: unknown): Problem {
  const said = (thrown as { status?: unknown } | undefined)?.status;
  const framework =
    thrown instanceof HttpException
      ? thrown.getStatus()
      : typeof said === 'number' && !(thrown instanceof NightjarError)
        ? said
        : undefined;
  const error =
    framework === 404
      ? new NightjarError('not-found', 'there is nothing here')
      : framework !== undefined && framework < 500
        ? new NightjarError('invalid-argument', (thrown as Error).message)
        : toNightjarError(thrown);
  return problemDetails(error);
}

/** Throws `invalid-argument`, naming every field, unless `value` fits. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new NightjarError('invalid-argument', faults.join('; '));
}

@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    answerError(thrown, host.switchToHttp().getResponse<Response>(), this.#log);
  }
}

export function answerError(thrown: unknown, response: Response, log: Log): void {
  const problem = problemOf(thrown);
  if (problem.status >= 500) log.error({ err: thrown }, 'a request failed');
  // A stream that broke half-way has no other word than an end.
  if (response.headersSent) return void response.destroy();
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
