// Which recorders share the cameras: those that live, with patience for those that merely restart.

import type { Clock } from '#base';
import type { StoredRecorder } from '#catalog';

/** A recorder that is silent for so long loses its cameras to the others; a restart takes less. */
export const MOVE_AFTER_MS = 20_000;
/** One that is lost so often within this time waits before it gets its share again. */
const FLAPPING_MS = 600_000;
const FLAPPING_LOSSES = 3;
const STEADY_MS = 60_000;
/** When `settle` itself came so late, it was not the recorders who were silent. */
const STALL_MS = 5000;

interface Member {
  weight: number;
  drained: boolean;
  sharing: boolean;
  heardMs: number;
  /** Since when it has been heard without a loss. */
  steadySinceMs: number;
  losses: number[];
}

/** Pure bookkeeping: whoever holds it moves the cameras and writes the outcome down. */
export class Membership {
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();
  #settledMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#settledMs = clock.monotonicMs();
  }

  /** What the server before this one knew; those who share are taken for alive at first. */
  restore(recorders: readonly StoredRecorder[]): void {
    for (const { id, weight, drained, sharing } of recorders) {
      const known = this.#members.get(id);
      const member = this.#member({ weight, drained, sharing });
      if (known !== undefined) known.drained = drained;
      else this.#members.set(id, sharing ? member : { ...member, heardMs: -Infinity });
    }
  }

  /** True when its share changed with what it says. */
  hear(id: string, weight: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#members.get(id);
    if (known === undefined) {
      this.#members.set(id, this.#member({ weight, drained: false, sharing: false }));
      return true;
    }
    const changed = known.weight !== weight;
    known.weight = weight;
    if (nowMs - known.heardMs >= MOVE_AFTER_MS) known.steadySinceMs = nowMs;
    known.heardMs = nowMs;
    return changed;
  }

  /** Takes a recorder's cameras away, or lets it have its share again. False when it is unknown. */
  drain(id: string, drained: boolean): boolean {
    const member = this.#members.get(id);
    if (member !== undefined) member.drained = drained;
    return member !== undefined;
  }

  forget(id: string): void {
    this.#members.delete(id);
  }

  list(): StoredRecorder[] {
    return [...this.#members]
      .map(([id, { weight, drained, sharing }]) => ({ id, weight, drained, sharing }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Those that cameras are given to. */
  sharing(): { id: string; weight: number }[] {
    return this.list().filter(({ sharing }) => sharing);
  }

  /** Decides anew who shares; gives those whose standing changed. */
  settle(): StoredRecorder[] {
    const nowMs = this.#clock.monotonicMs();
    const stalledMs = nowMs - this.#settledMs;
    this.#settledMs = nowMs;
    if (stalledMs > STALL_MS) {
      for (const member of this.#members.values()) {
        member.heardMs = Math.min(nowMs, member.heardMs + stalledMs);
      }
    }
    const wanted = [...this.#members.values()].filter((m) => m.weight > 0 && !m.drained);
    const somebodyLives = wanted.some((member) => !isSilent(member, nowMs));
    const before = new Map(this.list().map(({ id, sharing }) => [id, sharing]));
    for (const member of this.#members.values()) {
      const isWanted = member.weight > 0 && !member.drained;
      if (!isWanted) member.sharing = false;
      else if (member.sharing && isSilent(member, nowMs)) {
        // With nobody to take the cameras over, they stay where they are.
        if (!somebodyLives) continue;
        member.sharing = false;
        member.losses = [...member.losses.filter((ms) => nowMs - ms < FLAPPING_MS), nowMs];
      } else if (!member.sharing && !isSilent(member, nowMs)) {
        const recent = member.losses.filter((ms) => nowMs - ms < FLAPPING_MS).length;
        const waits = recent >= FLAPPING_LOSSES && nowMs - member.steadySinceMs < STEADY_MS;
        member.sharing = !waits;
      }
    }
    return this.list().filter(({ id, sharing }) => before.get(id) !== sharing);
  }

  #member(o: { weight: number; drained: boolean; sharing: boolean }): Member {
    const nowMs = this.#clock.monotonicMs();
    return { ...o, heardMs: nowMs, steadySinceMs: nowMs, losses: [] };
  }
}

function isSilent({ heardMs }: Member, nowMs: number): boolean {
  return nowMs - heardMs >= MOVE_AFTER_MS;
}
