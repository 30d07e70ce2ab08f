// What every file that speaks to FFmpeg needs of it: quiet logs, and its errors as ours.

import { NightjarError } from '#base';
import { AV_LOG_QUIET, AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants';
import { FFmpegError, Log } from 'node-av/lib';

// Return codes say what failed; FFmpeg's own lines would flood the log on damaged footage.
Log.setLevel(AV_LOG_QUIET);

/** Returns what FFmpeg returned unless it is an error; that one is thrown as `internal`. */
export function checked(result: number, what: string): number {
  if (result >= 0) return result;
  throw new NightjarError('internal', `${what} failed: ${describe(result)}`, { result });
}

/** False when a codec has nothing to give before it gets more; throws for every true error. */
export function gave(result: number, what: string): boolean {
  if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return false;
  checked(result, what);
  return true;
}

function describe(result: number): string {
  return new FFmpegError(result).message;
}
