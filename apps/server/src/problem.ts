// Errors on the wire: RFC 9457 problem details, and what of an error may go outside.

import type { z } from 'zod';
import { NightjarError, problemDetails } from '#base';
import type { Problem } from '#contract';

export function problemOf(error: NightjarError): Problem {
  const problem = problemDetails(error);
  // What went wrong inside is for the log alone.
  return error.code === 'internal'
    ? { ...problem, detail: 'something went wrong; the log says what' }
    : problem;
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
