// Reads a process's settings from its environment once, and lists every fault together.

import type { z } from 'zod';
import { NightjarError } from './errors.js';

/**
 * Parses `environment` with `schema`. Unset and empty variables are absent, so defaults apply.
 * Throws `invalid-argument` with one line per faulty variable; values are never repeated, since a
 * variable may hold a secret.
 */
export function readConfig<S extends z.ZodType>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new NightjarError('invalid-argument', `settings are not valid:\n  ${faults.join('\n  ')}`, {
    variables: result.error.issues.map((issue) => issue.path.join('.')),
  });
}
