// Failures of a stream: why it ended, in the words of the face and as an error of the house.

import { NightjarError, toNightjarError, type ErrorCode, type ErrorContext } from '#base';
import type { StreamEndReason } from './stream-face.js';

const CODES: Record<StreamEndReason, ErrorCode> = {
  unreachable: 'unavailable',
  refused: 'unavailable',
  timeout: 'timeout',
  'closed-by-camera': 'unavailable',
  authentication: 'unauthenticated',
  protocol: 'unavailable',
  'unsupported-stream': 'unsupported',
  'not-found': 'not-found',
  stalled: 'timeout',
  stopped: 'cancelled',
};

/** A failure that ends an attempt. The message never has the URL's credentials. */
export function streamError(
  reason: StreamEndReason,
  message: string,
  context: ErrorContext = {},
  cause?: unknown,
): NightjarError {
  return new NightjarError(CODES[reason], message, { ...context, reason }, cause);
}

/**
 * Why something thrown ends a stream. `ours`: it is no failure of a stream but of the code that
 * reads it or takes its frames; it ends the run as a fault of the protocol would. `away`: there was
 * nobody to connect to.
 */
export function endOf(thrown: unknown): {
  reason: StreamEndReason;
  message: string;
  ours: boolean;
  away: boolean;
} {
  const { context, message } = toNightjarError(thrown);
  const { reason } = context;
  const known = typeof reason === 'string' && Object.hasOwn(CODES, reason);
  const away = reason === 'unreachable' || context['errno'] === 'ECONNREFUSED';
  return { reason: known ? (reason as StreamEndReason) : 'protocol', message, ours: !known, away };
}

/** Whether the other side answered as a web server would. */
export function speaksHttp(error: unknown): boolean {
  return error instanceof NightjarError && error.context['speaksHttp'] === true;
}

/** What a failed socket means. */
export function socketError(error: NodeJS.ErrnoException, place: string): NightjarError {
  const context = { place, errno: error.code };
  switch (error.code) {
    case 'ECONNREFUSED':
      return streamError('refused', `${place} refuses connections`, context, error);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return streamError('closed-by-camera', `${place} broke the connection off`, context, error);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return streamError('unreachable', `the name of ${place} cannot be resolved`, context, error);
    default:
      return streamError(
        'unreachable',
        `${place} cannot be reached (${error.code ?? error.message})`,
        context,
        error,
      );
  }
}
