// Times without a recording, and the gap of each camera that is still open.

import type { PendingBatch } from './commit-queue.js';
import { boundedUs, makeKey, rangeOf, u64At, uuidAt } from './keys.js';
import type { Lsm } from './lsm.js';
import { decodeGap, encodeGap, gapKey } from './row-codec.js';
import type { GapRow } from './rows.js';

/** Gaps of a camera do not overlap; more than one is looked at in case a clock went back. */
const LOOK_BACK = 4;

export class GapIndex {
  readonly #lsm: Lsm;
  readonly #open = new Map<string, GapRow>();

  constructor(lsm: Lsm) {
    this.#lsm = lsm;
  }

  async load(): Promise<void> {
    this.#open.clear();
    for (const [key, value] of await this.#lsm.entries(rangeOf('open-gap'))) {
      const place = gapKey({ camera: uuidAt(key, 1), startUnixUs: u64At(value, 0) });
      const row = await this.#lsm.get(place);
      if (row !== undefined) this.#open.set(uuidAt(key, 1), decodeGap(place, row));
    }
  }

  open(camera: string): GapRow | undefined {
    return this.#open.get(camera);
  }

  /** A gap that begins behind the open one closes it there; of two open ones the newer stays so. */
  put(batch: PendingBatch, row: GapRow): void {
    const open = this.#open.get(row.camera);
    let kept = row;
    if (open !== undefined && open.startUnixUs < row.startUnixUs) {
      this.#close(batch, open, row.startUnixUs);
    } else if (open !== undefined && open.startUnixUs > row.startUnixUs) {
      kept = { ...row, endUnixUs: row.endUnixUs ?? open.startUnixUs };
    }
    const key = gapKey(kept);
    batch.put(key, encodeGap(kept));
    if (kept.endUnixUs === undefined) {
      this.#open.set(kept.camera, kept);
      batch.put(openKey(kept.camera), key.subarray(17));
    } else if (open?.startUnixUs === kept.startUnixUs) {
      this.#forgetOpen(batch, kept.camera);
    }
  }

  remove(batch: PendingBatch, row: Pick<GapRow, 'camera' | 'startUnixUs'>): void {
    batch.del(gapKey(row));
    if (this.#open.get(row.camera)?.startUnixUs === row.startUnixUs) {
      this.#forgetOpen(batch, row.camera);
    }
  }

  /** Gaps that overlap [from, to), whole, oldest first. */
  async overlapping(camera: string, fromUnixUs: number, toUnixUs: number): Promise<GapRow[]> {
    const range = rangeOf('gap', { uuid: camera });
    const from = gapKey({ camera, startUnixUs: boundedUs(fromUnixUs) });
    const to = gapKey({ camera, startUnixUs: boundedUs(toUnixUs) });
    const before = await this.#lsm.entries({
      gte: range.gte,
      lt: from,
      reverse: true,
      limit: LOOK_BACK,
    });
    const inside = await this.#lsm.entries({ gte: from, lt: to });
    return [...before.reverse(), ...inside]
      .map(([key, value]) => decodeGap(key, value))
      .filter((gap) => gap.endUnixUs === undefined || gap.endUnixUs > fromUnixUs);
  }

  /** Removes closed gaps of a camera that ended before the moment. */
  async forget(batch: PendingBatch, camera: string, beforeUnixUs: number): Promise<void> {
    const { gte } = rangeOf('gap', { uuid: camera });
    const lt = gapKey({ camera, startUnixUs: boundedUs(beforeUnixUs) });
    for (const [key, value] of await this.#lsm.entries({ gte, lt })) {
      const { endUnixUs } = decodeGap(key, value);
      if (endUnixUs !== undefined && endUnixUs <= beforeUnixUs) batch.del(key);
    }
  }

  #close(batch: PendingBatch, open: GapRow, endUnixUs: number): void {
    batch.put(gapKey(open), encodeGap({ ...open, endUnixUs }));
    this.#forgetOpen(batch, open.camera);
  }

  #forgetOpen(batch: PendingBatch, camera: string): void {
    this.#open.delete(camera);
    batch.del(openKey(camera));
  }
}

function openKey(camera: string): Buffer {
  return makeKey('open-gap', { uuid: camera });
}
