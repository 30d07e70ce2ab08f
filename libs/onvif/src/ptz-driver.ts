// Drives a camera's motors from a joystick: the latest command wins, and silence stops the camera.

import { NightjarError, toNightjarError, type Clock, type Timer } from '#base';
import type { PtzVelocity } from './onvif-camera.js';

/** What can be moved: `OnvifCamera.ptz`. */
export interface PtzMotors {
  move(velocity: PtzVelocity): Promise<void>;
  stop(): Promise<void>;
}

export type PtzOutcome =
  /** The camera took the command. */
  | 'done'
  /** A newer command came before this one was sent. */
  | 'replaced';

export interface PtzDriverOptions {
  readonly motors: PtzMotors;
  readonly clock: Clock;
  /** The camera is stopped this long after the last `move`; 500 ms by default. */
  readonly silenceMs?: number;
  /** The driver stopped the camera by itself, or could not (`error`). */
  readonly onSilence?: (error?: NightjarError) => void;
}

interface Waiting {
  readonly velocity: PtzVelocity;
  readonly resolve: (outcome: PtzOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const SILENCE_MS = 500;
const STOP_ATTEMPTS = 3;

/**
 * One request is under way at a time. While it is, of all moves only the newest waits, and a stop
 * goes before it. A stop is tried three times; a move that waits in front of it is dropped.
 */
export class PtzDriver {
  readonly #motors: PtzMotors;
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #onSilence: ((error?: NightjarError) => void) | undefined;
  #move: Waiting | undefined;
  #stops: Waiting[] = [];
  #deadman: Timer | undefined;
  #sending = false;
  #closed = false;

  constructor({ motors, clock, silenceMs = SILENCE_MS, onSilence }: PtzDriverOptions) {
    this.#motors = motors;
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#onSilence = onSilence;
  }

  /** Resolves when the camera has answered, or a newer command took this one's place. */
  move(velocity: PtzVelocity): Promise<PtzOutcome> {
    if (this.#closed) return Promise.reject(new NightjarError('cancelled', 'the driver is closed'));
    this.#deadman?.cancel();
    this.#deadman = this.#clock.after(this.#silenceMs, () => {
      this.stop().then(
        () => this.#onSilence?.(),
        (error: unknown) => this.#onSilence?.(toNightjarError(error)),
      );
    });
    return new Promise((resolve, reject) => {
      this.#move?.resolve('replaced');
      this.#move = { velocity, resolve, reject };
      this.#pump();
    });
  }

  /** Resolves when the camera has confirmed; rejects when it did not in three attempts. */
  stop(): Promise<PtzOutcome> {
    this.#deadman?.cancel();
    this.#deadman = undefined;
    this.#move?.resolve('replaced');
    this.#move = undefined;
    return new Promise((resolve, reject) => {
      this.#stops.push({ velocity: { pan: 0, tilt: 0, zoom: 0 }, resolve, reject });
      this.#pump();
    });
  }

  /** Stops the camera if it may be moving, and takes no more moves. */
  async close(): Promise<void> {
    this.#closed = true;
    const mayMove = this.#deadman !== undefined || this.#sending;
    if (mayMove) await this.stop().catch(() => undefined);
  }

  #pump(): void {
    if (this.#sending) return;
    const stops = this.#stops.splice(0);
    const move = stops.length === 0 ? this.#move : undefined;
    if (stops.length === 0 && move === undefined) return;
    if (move !== undefined) this.#move = undefined;
    const waiting = move === undefined ? stops : [move];
    this.#sending = true;
    const sent = move === undefined ? this.#sendStop() : this.#motors.move(move.velocity);
    sent
      .then(
        () => waiting.forEach(({ resolve }) => resolve('done')),
        (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
      )
      .finally(() => {
        this.#sending = false;
        this.#pump();
      });
  }

  async #sendStop(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#motors.stop();
      } catch (error) {
        if (attempt === STOP_ATTEMPTS) throw error;
      }
    }
  }
}
