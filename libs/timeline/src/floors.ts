// Where the rows of each track begin. Expiry leaves deleted rows in front of the oldest one, which
// LevelDB passes one by one until they are compacted away: a read that begins at the floor does not.

import type { TrackKey } from './spans.js';

export class Floors {
  readonly #floors = new Map<string, number>();

  /** No row of the track begins before this; 0 when nothing is known. */
  of(key: TrackKey): number {
    return this.#floors.get(nameOf(key)) ?? 0;
  }

  /** Nothing was found before the moment, by a task that holds back other writes. */
  raise(key: TrackKey, unixUs: number): void {
    this.#floors.set(nameOf(key), unixUs);
  }

  /** A row is put that begins at the moment. */
  lower(key: TrackKey, unixUs: number): void {
    const floor = this.#floors.get(nameOf(key));
    if (floor !== undefined && unixUs < floor) this.#floors.set(nameOf(key), unixUs);
  }

  /** Forgets what is kept in memory. */
  reset(): void {
    this.#floors.clear();
  }
}

function nameOf({ camera, track }: TrackKey): string {
  return `${camera}/${track}`;
}
