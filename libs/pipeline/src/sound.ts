// The recorded sound of a period, read group by group as its seconds are asked for.

import type { AudioFormat } from '#media';
import type { ParsedAudio } from '#store';
import type { GroupRow } from '#timeline';
import { ticksToUs } from './units.js';

export class Sound {
  readonly groups: readonly GroupRow[];
  readonly #read: (group: GroupRow) => Promise<ParsedAudio[]>;
  /** What a window shares with the next one. */
  #held = new Map<GroupRow, ParsedAudio[]>();

  constructor(groups: readonly GroupRow[], read: (group: GroupRow) => Promise<ParsedAudio[]>) {
    this.groups = groups;
    this.#read = read;
  }

  /** Of the first group that can be read. */
  async format(): Promise<AudioFormat | undefined> {
    for (const group of this.groups) {
      const [record] = await this.#recordsOf(group);
      if (record !== undefined) return record.format;
    }
    return undefined;
  }

  /** Records that overlap the window, in order. Windows come in order of time. */
  async between(fromUs: number, toUs: number): Promise<ParsedAudio[]> {
    const found: ParsedAudio[] = [];
    for (const group of this.groups) {
      const endUs = group.startUnixUs + group.durationUs;
      if (endUs <= fromUs) this.#held.delete(group);
      if (endUs <= fromUs || group.startUnixUs >= toUs) continue;
      for (const parsed of await this.#recordsOf(group)) {
        const { startUnixUs, duration90k } = parsed.record;
        const overlaps = startUnixUs < toUs && startUnixUs + ticksToUs(duration90k) > fromUs;
        if (overlaps) found.push(parsed);
      }
    }
    return found;
  }

  async #recordsOf(group: GroupRow): Promise<ParsedAudio[]> {
    const held = this.#held.get(group) ?? (await this.#read(group));
    this.#held.set(group, held);
    return held;
  }
}
