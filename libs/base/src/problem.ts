// An error on the wire: RFC 9457 problem details, and the one map from codes to HTTP statuses.

import { STATUS_CODES } from 'node:http';
import type { ErrorCode, NightjarError } from './errors.js';

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

/** Mirrors the contract's Problem. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

/** With the error's own words; a door to the outside hides those of `internal`. */
export function problemDetails(error: NightjarError): ProblemDetails {
  const status = STATUS_OF[error.code];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
  };
}
