// How a failure travels through the queue: as text that a person can read and we can read back.

import { isErrorCode, toNightjarError, type ErrorCode } from '#base';

export interface JobFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Failures that another attempt may overcome. */
const PASSING: readonly ErrorCode[] = ['unavailable', 'timeout', 'internal', 'conflict'];

export function mayPass(failure: JobFailure): boolean {
  return PASSING.includes(failure.code);
}

export function failureOf(thrown: unknown): JobFailure {
  const { code, message } = toNightjarError(thrown);
  return { code, message };
}

/** `code: message`. */
export function writeFailure({ code, message }: JobFailure): string {
  return `${code}: ${message}`;
}

/** What a queue itself says of a job (that it stalled too often, say) is `internal`. */
export function readFailure(text: string): JobFailure {
  const [code, ...rest] = text.split(': ');
  return isErrorCode(code) && rest.length > 0
    ? { code, message: rest.join(': ') }
    : { code: 'internal', message: text };
}
