// What every room may lean on: time, errors, logs, settings, orderly shutdown, bounded queues,
// sealed secrets and the internal door's client. It knows nothing of cameras or footage, opens no
// file and no socket of its own, and imports no other room.

export { Backoff, type BackoffOptions } from './backoff.js';
export { BoundedQueue, type OverflowPolicy } from './bounded-queue.js';
export { ByteReader, ByteWriter } from './byte-cursor.js';
export { compiledModule } from './compiled-module.js';
export { readConfig } from './config.js';
export {
  ERROR_CODES,
  isErrorCode,
  messageOf,
  NightjarError,
  toNightjarError,
  type ErrorCode,
  type ErrorContext,
} from './errors.js';
export {
  errorOfProblem,
  InternalClient,
  isInternalCaller,
  type InternalRequest,
} from './internal-door.js';
export { createLog, silentLog, withoutCredentials, type Log, type LogFormat } from './log.js';
export { MaglevTable, type MaglevBackend } from './maglev.js';
export { problemDetails, type ProblemDetails } from './problem.js';
export { SecretBox } from './secret-box.js';
export { Shutdown } from './shutdown.js';
export type { Reach } from './space-forecast.js';
export {
  forecastStorage,
  reachByKind,
  type KindInflow,
  type StorageForecast,
} from './storage-forecast.js';
export { delay, inTime, systemClock, type Clock, type Timer } from './time.js';
export { isUuid, uuidFromBytes, uuidToBytes } from './uuid.js';
