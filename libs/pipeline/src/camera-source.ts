// Where a stream comes from: a camera that we call, or one that pushes to us.

import type { Clock, Log } from '#base';
import { PushStream, pushKeyOf, type PushDoor } from '#rtmp';
import {
  CameraStream,
  type ReadTurns,
  type RtspTransport,
  type StreamCounters,
  type StreamListener,
} from '#rtsp';

export interface CameraSource {
  /** Live: the same object, growing. */
  readonly counters: Readonly<StreamCounters>;
  start(): void;
  /** The listener's `onEnd` was called when it resolves, and nothing follows. */
  stop(): Promise<void>;
}

export interface CameraSourceOptions {
  /** `rtsp://`, `rtsps://`, or `push:` and a key. */
  readonly url: string;
  readonly transport: RtspTransport;
  readonly door: PushDoor;
  readonly listener: StreamListener;
  readonly clock: Clock;
  readonly log: Log;
  readonly turns: ReadTurns;
}

/** Opens nothing before `start`. */
export function cameraSource(options: CameraSourceOptions): CameraSource {
  const key = pushKeyOf(options.url);
  return key === undefined ? new CameraStream(options) : new PushStream({ ...options, key });
}
