// Errors on the wire: RFC 9457 problem details, with the house's codes and one map to statuses.

import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { NightjarError, type ErrorCode } from '#base';
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
  // The caller went away: nobody reads this, but access logs should not call it a success.
  cancelled: 499,
  'data-loss': 500,
  internal: 500,
  unavailable: 503,
  timeout: 504,
};

export function statusOf(code: ErrorCode): number {
  return STATUS_OF[code];
}

export function problemOf(error: NightjarError): Problem {
  const status = statusOf(error.code);
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    // What went wrong inside is for the log alone.
    detail: error.code === 'internal' ? 'something went wrong; the log says what' : error.message,
    code: error.code,
  };
}

/** `invalid-argument`, naming every field that does not fit. */
export function invalidArgument(error: z.ZodError): NightjarError {
  const faults = error.issues.map((issue) => {
    const field = issue.path.map(String).join('.');
    return field === '' ? issue.message : `${field}: ${issue.message}`;
  });
  return new NightjarError('invalid-argument', faults.join('; '), {
    fields: error.issues.map((issue) => issue.path.map(String).join('.')),
  });
}

/** Throws `invalid-argument` unless `value` fits. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidArgument(result.error);
  return result.data;
}

/**
 * What a camera or another process threw, as it may go on to a client: that they refused us says
 * nothing of the client's own session, which `unauthenticated` would end in the console.
 */
export function errorOfOthers(thrown: unknown): unknown {
  return thrown instanceof NightjarError && thrown.code === 'unauthenticated'
    ? new NightjarError('failed-precondition', thrown.message, thrown.context, thrown)
    : thrown;
}
