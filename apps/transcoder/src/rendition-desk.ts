// Makes renditions of slices just in time: one transcode for all who ask, kept for who asks later.

import { createHash } from 'node:crypto';
import type { Transcoder } from '#transcode';
import type { RecorderDoor, CameraAddress } from './recorder-door.js';
import type { RenditionCache } from './rendition-cache.js';
import { SharedWork } from './shared-work.js';

export interface SliceOrder extends CameraAddress {
  readonly height: number;
  /** The playlist's query without what is the transcoder's. */
  readonly query: string;
}

export interface RenditionDeskParts {
  readonly recorders: RecorderDoor;
  readonly transcoder: Transcoder;
  readonly cache: RenditionCache;
}

export class RenditionDesk {
  readonly #parts: RenditionDeskParts;
  readonly #slices = new SharedWork<Buffer>();

  constructor(parts: RenditionDeskParts) {
    this.#parts = parts;
  }

  get running(): number {
    return this.#slices.running;
  }

  /** The initialisation of every slice of a rendition. */
  async init(order: SliceOrder, signal: AbortSignal): Promise<Buffer> {
    const source = await this.#parts.recorders.init(order, order.query, signal);
    return this.#parts.transcoder.init(source, order.height);
  }

  /** The fragments of a slice, each as soon as it is made. */
  slice(order: SliceOrder, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { recorder, camera, height, query } = order;
    const key = JSON.stringify([recorder, camera, height, query]);
    return this.#slices.join(key, signal, (shared, emit) => this.#make(order, shared, emit));
  }

  async #make(order: SliceOrder, signal: AbortSignal, emit: (part: Buffer) => void): Promise<void> {
    const { recorders, transcoder, cache } = this.#parts;
    const [init, fragment] = await Promise.all([
      recorders.init(order, order.query, signal),
      recorders.slice(order, order.query, signal),
    ]);
    // By content, and asked for again every time: footage that was deleted is not served from here,
    // and a slice that has grown since is another one.
    const key = createHash('sha256')
      .update(`${transcoder.fingerprint} ${order.height} ${init.length}\n`)
      .update(init)
      .update(fragment)
      .digest('hex');
    const kept = await cache.find(key);
    if (kept !== undefined) {
      emit(kept);
      return;
    }
    const parts: Buffer[] = [];
    await transcoder.slice({
      init,
      fragment,
      height: order.height,
      signal,
      onPart: (part) => {
        parts.push(part);
        emit(part);
      },
    });
    await cache.put(key, Buffer.concat(parts));
  }
}
