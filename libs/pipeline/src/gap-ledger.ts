// Every moment of a camera without footage has a reason: this keeps the gaps, abutting the footage.

import type { GapRow } from '#timeline';

export type GapReason =
  | 'no-motion'
  | 'camera-down'
  | 'network'
  | 'authentication'
  | 'unsupported-stream'
  | 'disk-full'
  | 'disk-too-slow'
  | 'disk-error'
  | 'restart'
  | 'off'
  | 'no-space-policy'
  | 'moved'
  | 'unknown';

/** Why footage would be missing from a moment on; `recording` means that it should not be. */
export type LedgerState = GapReason | 'recording';

/** As in the timeline: a shorter hole is jitter, not a gap. */
export const SHORTEST_GAP_US = 1_000_000;
/** Footage that arrives later than this for a time that has its reason is not expected. */
const DECIDED_AFTER_US = 120_000_000;

export interface GapLedgerOptions {
  readonly camera: string;
  /** Where the known past ends: recordings and closed gaps cover what precedes it. */
  readonly coveredUntilUs: number;
  /** From the life before, still open. */
  readonly openGap?: GapRow | undefined;
  /** When the life before was last known to watch; it explains the open gap up to there. */
  readonly lastAliveUs?: number | undefined;
}

export interface GapChanges {
  readonly gaps: GapRow[];
  readonly removedGaps: { camera: string; startUnixUs: number }[];
}

interface Mark {
  readonly atUs: number;
  readonly state: LedgerState;
}

/**
 * Three things are told, in any order: `mark` (from when on footage would be missing, and why),
 * `recorded` (footage that is safe) and `settle` (up to where nothing more is under way). Rows come
 * out of `drain`, to be committed with the groups they abut.
 */
export class GapLedger {
  readonly #camera: string;
  /** Footage or a final gap covers everything before. */
  #coveredUs: number;
  #settledUs = 0;
  /** In order of time; the first reaches back to where the known past ends. */
  #marks: Mark[];
  /** Rows behind `#coveredUs` as the timeline has them: they may still change. */
  #open = new Map<number, GapRow>();
  #changed = new Map<number, GapRow | undefined>();

  constructor(options: GapLedgerOptions) {
    const { camera, openGap, lastAliveUs = 0, coveredUntilUs } = options;
    this.#camera = camera;
    if (openGap === undefined) {
      this.#coveredUs = coveredUntilUs;
      this.#marks = [{ atUs: coveredUntilUs, state: 'restart' }];
    } else {
      this.#coveredUs = openGap.startUnixUs;
      this.#open.set(openGap.startUnixUs, openGap);
      this.#marks = [{ atUs: openGap.startUnixUs, state: openGap.reason as GapReason }];
      this.mark('restart', Math.max(openGap.startUnixUs, lastAliveUs));
    }
    this.#refresh();
  }

  /** The state that was marked last. */
  get state(): LedgerState {
    return this.#marks.at(-1)?.state ?? 'unknown';
  }

  get coveredUntilUs(): number {
    return this.#coveredUs;
  }

  /** What is marked for later than `atUnixUs` is forgotten: the new word counts. */
  mark(state: LedgerState, atUnixUs: number): void {
    const atUs = Math.max(atUnixUs, this.#coveredUs);
    while (this.#marks.length > 1 && (this.#marks.at(-1)?.atUs ?? 0) >= atUs) this.#marks.pop();
    const last = this.#marks.at(-1);
    if (last !== undefined && last.atUs >= atUs) this.#marks.pop();
    else if (last?.state === state) return;
    this.#marks.push({ atUs, state });
    this.#refresh();
  }

  /** Footage from `startUnixUs` to `endUnixUs` is safe on disk. In order of time. */
  recorded(startUnixUs: number, endUnixUs: number): void {
    if (startUnixUs - this.#coveredUs >= SHORTEST_GAP_US) {
      this.#finalize(this.#rows(this.#coveredUs, startUnixUs, startUnixUs));
    } else if (startUnixUs > this.#coveredUs || this.#open.size > 0) {
      this.#finalize([]);
    }
    this.#coveredUs = Math.max(this.#coveredUs, endUnixUs);
    this.#prune();
    this.#refresh();
  }

  /** No footage of before `untilUnixUs` is under way any more. */
  settle(untilUnixUs: number): void {
    this.#settledUs = Math.max(this.#settledUs, untilUnixUs);
    this.#refresh();
    const decidedUs = this.#settledUs - DECIDED_AFTER_US;
    const second = this.#marks[1];
    if (second === undefined || second.atUs > decidedUs || this.#coveredUs > decidedUs) return;
    const until = this.#marks.findLast((mark) => mark.atUs <= decidedUs)?.atUs ?? second.atUs;
    this.#finalize(this.#rows(this.#coveredUs, until, until));
    this.#coveredUs = until;
    this.#prune();
    this.#refresh();
  }

  /** What is to be committed since the last call; undefined when nothing is. */
  drain(): GapChanges | undefined {
    if (this.#changed.size === 0) return undefined;
    const gaps: GapRow[] = [];
    const removedGaps: GapChanges['removedGaps'] = [];
    for (const [startUnixUs, row] of this.#changed) {
      if (row === undefined) removedGaps.push({ camera: this.#camera, startUnixUs });
      else gaps.push(row);
    }
    this.#changed.clear();
    gaps.sort((a, b) => a.startUnixUs - b.startUnixUs);
    return { gaps, removedGaps };
  }

  /** The gaps in [fromUs, toUs) as the marks explain them; holes in a recording up to `settledUs`. */
  #rows(fromUs: number, toUs: number, settledUs: number): GapRow[] {
    const rows: GapRow[] = [];
    /** Where a moment begins that was to be recorded and is too short for a gap of its own. */
    let momentFromUs: number | undefined;
    for (const [index, mark] of this.#marks.entries()) {
      const recording = mark.state === 'recording';
      const nextUs = this.#marks[index + 1]?.atUs ?? Infinity;
      const markedUs = Math.max(mark.atUs, fromUs);
      const endUs = Math.min(nextUs, toUs, recording ? settledUs : Infinity);
      if (endUs <= markedUs) continue;
      const isFollowed = nextUs === endUs && nextUs < toUs;
      const isMoment = recording && isFollowed && endUs - markedUs < SHORTEST_GAP_US;
      if (isMoment && momentFromUs === undefined) momentFromUs = markedUs;
      // What comes next took that moment, too.
      if (isMoment) continue;
      const startUnixUs = momentFromUs ?? markedUs;
      momentFromUs = undefined;
      // Packets that were lost on the way are the network's doing.
      const reason = recording ? 'network' : mark.state;
      const last = rows.at(-1);
      if (last?.reason === reason && last.endUnixUs === startUnixUs) {
        rows[rows.length - 1] = { ...last, endUnixUs: finite(endUs) };
      } else {
        rows.push({ camera: this.#camera, startUnixUs, endUnixUs: finite(endUs), reason });
      }
    }
    return rows;
  }

  #refresh(): void {
    let rows = this.#rows(this.#coveredUs, Infinity, this.#settledUs);
    const last = rows.at(-1);
    // A recording that goes on in time makes no gap out of a moment's pause.
    if (this.state === 'recording' && last !== undefined) {
      if ((last.endUnixUs ?? Infinity) - this.#coveredUs < SHORTEST_GAP_US) rows = [];
    }
    this.#replaceOpen(rows);
  }

  #finalize(rows: readonly GapRow[]): void {
    this.#replaceOpen(rows);
    this.#open.clear();
  }

  #replaceOpen(rows: readonly GapRow[]): void {
    const next = new Map(rows.map((row) => [row.startUnixUs, row]));
    for (const start of this.#open.keys())
      if (!next.has(start)) this.#changed.set(start, undefined);
    for (const [start, row] of next) {
      const now = this.#open.get(start);
      const same = now?.reason === row.reason && now.endUnixUs === row.endUnixUs;
      if (!same) this.#changed.set(start, row);
    }
    this.#open = next;
  }

  #prune(): void {
    while (this.#marks.length > 1 && (this.#marks[1]?.atUs ?? Infinity) <= this.#coveredUs) {
      this.#marks.shift();
    }
  }
}

function finite(us: number): number | undefined {
  return us === Infinity ? undefined : us;
}
