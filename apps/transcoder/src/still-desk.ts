// Takes stills: one decode for all who ask for the same picture, kept for a while in memory.

import { createHash } from 'node:crypto';
import type { Transcoder } from '#transcode';
import type { CameraAddress, RecorderDoor } from './recorder-door.js';
import { SharedWork } from './shared-work.js';
import type { StillCache } from './still-cache.js';
import { NightjarError } from '#base';

export interface StillOrder extends CameraAddress {
  readonly atUnixMs: number;
  readonly height: number;
}

export interface Still {
  readonly jpeg: Buffer;
  /** When the picture was taken, Unix microseconds, as the recorder says it. */
  readonly frameTime?: string;
}

export interface StillDeskParts {
  readonly recorders: RecorderDoor;
  readonly transcoder: Transcoder;
  readonly cache: StillCache;
}

export class StillDesk {
  readonly #parts: StillDeskParts;
  readonly #stills = new SharedWork<Still>();

  constructor(parts: StillDeskParts) {
    this.#parts = parts;
  }

  async still(order: StillOrder, signal: AbortSignal): Promise<Still> {
    const { recorder, camera, atUnixMs, height } = order;
    const key = JSON.stringify([recorder, camera, atUnixMs, height]);
    const work = this.#stills.join(key, signal, async (shared, emit) =>
      emit(await this.#take(order, shared)),
    );
    for await (const still of work) return still;
    throw new NightjarError('internal', 'a still came to nothing');
  }

  async #take(order: StillOrder, signal: AbortSignal): Promise<Still> {
    const { recorders, transcoder, cache } = this.#parts;
    const { source, frameTime } = await recorders.still(order, order.atUnixMs, signal);
    // By content: neighbouring times often mean the same picture, and deleted footage none.
    const key = createHash('sha256').update(`${order.height}\n`).update(source).digest('hex');
    let jpeg = cache.find(key);
    if (jpeg === undefined) {
      // The initialisation and the fragment lie behind each other, and both readers skip the other's.
      jpeg = await transcoder.still({
        init: source,
        fragment: source,
        height: order.height,
        signal,
      });
      cache.put(key, jpeg);
    }
    return { jpeg, ...(frameTime === undefined ? {} : { frameTime }) };
  }
}
