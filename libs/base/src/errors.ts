// The one error class of the house, with a closed set of codes.

export const ERROR_CODES = [
  'invalid-argument',
  'unauthenticated',
  'permission-denied',
  'not-found',
  'conflict',
  'failed-precondition',
  'resource-exhausted',
  'unavailable',
  'timeout',
  'cancelled',
  'data-loss',
  'unsupported',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts that find the place of a failure: ids, offsets, sequence numbers. Never a secret. */
export type ErrorContext = Readonly<Record<string, unknown>>;

/** Messages are lower case and say what was expected and what was found. */
export class NightjarError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NightjarError';
    this.code = code;
    this.context = context;
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(value);
}

/** Normalises anything thrown: a NightjarError as it is, all else as `internal` with its cause. */
export function toNightjarError(thrown: unknown): NightjarError {
  if (thrown instanceof NightjarError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new NightjarError('cancelled', 'the operation was cancelled', {}, thrown);
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new NightjarError('internal', message, {}, thrown);
}

/** The message of anything thrown, for logs and states that people read. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
