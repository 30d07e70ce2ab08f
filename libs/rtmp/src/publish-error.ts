// Why a publication ends, as an error of the house whose context names the reason.

import { NightjarError } from '#base';
import type { StreamEndReason } from '#rtsp';

/** The publisher did what no publisher may. */
export function protocolError(message: string): NightjarError {
  return new NightjarError('invalid-argument', message, { reason: 'protocol' });
}

/** What something thrown while a publication was read means for its stream. */
export function reasonOf(error: NightjarError): StreamEndReason {
  return error.code === 'unsupported' ? 'unsupported-stream' : 'protocol';
}
