// Makes tracks safe in turn: every track at least once a second, few at a time, one batch per turn.

import type { Clock, Log, Timer } from '#base';
import type { GapRow, Timeline, TimelineBatch } from '#timeline';
import type { TrackFlush } from './track-flush.js';

/** A track is due in one of ten turns of a second. */
const TURN_MS = 100;
const TURNS = 10;
const GATHER_MS = 25;

/** What a turn asks of a camera: its tracks, and the gaps that abut what they recorded. */
export interface FlushedCamera {
  readonly tracks: readonly TrackFlush[];
  /** Gaps and motion that came up since the last turn. */
  drainRows(): TimelineBatch | undefined;
}

export interface FlushSchedulerOptions {
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly log: Log;
  /** The index cannot be written: nothing is safe any more. Undefined when it can again. */
  onIndexFailure?(message: string | undefined): void;
}

export class FlushScheduler {
  readonly #options: FlushSchedulerOptions;
  readonly #turns: Set<FlushedCamera>[] = Array.from({ length: TURNS }, () => new Set());
  readonly #timer: Timer;
  /** Rows to be committed, in order; those of a commit that failed go first the next time. */
  #unwritten: TimelineBatch[] = [];
  /** A camera on a disk that hangs misses its turns; the others do not. */
  readonly #running = new Map<FlushedCamera, Promise<void>>();
  readonly #due = new Set<FlushedCamera>();
  #turn = 0;
  #soon: Timer | undefined;
  #indexFails = false;
  #lastCommit: Promise<void> = Promise.resolve();

  constructor(options: FlushSchedulerOptions) {
    this.#options = options;
    this.#timer = options.clock.every(TURN_MS, () => this.#next());
  }

  add(camera: FlushedCamera): void {
    const emptiest = this.#turns.reduce((a, b) => (b.size < a.size ? b : a));
    emptiest.add(camera);
  }

  remove(camera: FlushedCamera): void {
    for (const turn of this.#turns) turn.delete(camera);
    this.#due.delete(camera);
  }

  /** Something of it was written: it is told with the next turn. */
  due(camera: FlushedCamera): void {
    this.#due.add(camera);
  }

  /** Waits until the turn of a camera that is under way has handed over its rows. */
  async idle(camera: FlushedCamera): Promise<void> {
    await this.#running.get(camera);
  }

  /** Commits rows in the order of calls; keeps them when the index fails and tries again. */
  commit(batch: TimelineBatch | undefined): Promise<void> {
    if (batch !== undefined) this.#unwritten.push(batch);
    this.#soon?.cancel();
    this.#soon = undefined;
    this.#lastCommit = this.#lastCommit.then(() => this.#commitAll());
    return this.#lastCommit;
  }

  /** Waits for the turns under way and commits what is left. Cameras are closed before. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await Promise.all(this.#running.values());
    await this.commit(undefined);
  }

  #next(): void {
    const cameras = this.#turns[this.#turn];
    this.#turn = (this.#turn + 1) % TURNS;
    for (const camera of new Set([...(cameras ?? []), ...this.#due])) {
      if (this.#running.has(camera)) continue;
      this.#due.delete(camera);
      const run = this.#run(camera).finally(() => this.#running.delete(camera));
      this.#running.set(camera, run);
    }
    if (this.#unwritten.length > 0) this.#commitSoon();
  }

  async #run(camera: FlushedCamera): Promise<void> {
    const batches = await Promise.all(camera.tracks.map((track) => track.sync()));
    // Told after the syncs, so that a gap is committed together with the footage it abuts.
    const rows = [...batches, camera.drainRows()].filter((part) => part !== undefined);
    if (rows.length === 0) return;
    this.#unwritten.push(...rows);
    this.#commitSoon();
  }

  /** Cameras of a turn are ready at about the same time: one batch for all of them. */
  #commitSoon(): void {
    this.#soon ??= this.#options.clock.after(GATHER_MS, () => void this.commit(undefined));
  }

  async #commitAll(): Promise<void> {
    if (this.#unwritten.length === 0) return;
    const parts = this.#unwritten;
    this.#unwritten = [];
    try {
      // Footage is found by recovery when this batch is lost in a power cut: no sync is needed.
      await this.#options.timeline.commit(merged(parts));
      if (this.#indexFails) this.#options.onIndexFailure?.(undefined);
      this.#indexFails = false;
    } catch (error) {
      this.#unwritten = [merged(parts), ...this.#unwritten];
      if (this.#indexFails) return;
      this.#indexFails = true;
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log.error({ err: error }, 'the index cannot be written');
      this.#options.onIndexFailure?.(`the index cannot be written: ${message}`);
    }
  }
}

/** One batch; the last word on a gap counts. */
function merged(parts: readonly TimelineBatch[]): TimelineBatch {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const gaps = new Map<string, GapRow>();
  const removed = new Map<string, Pick<GapRow, 'camera' | 'startUnixUs'>>();
  for (const part of parts) {
    for (const gap of part.removedGaps ?? []) {
      gaps.delete(keyOf(gap));
      removed.set(keyOf(gap), gap);
    }
    for (const gap of part.gaps ?? []) {
      removed.delete(keyOf(gap));
      gaps.set(keyOf(gap), gap);
    }
  }
  return {
    groups: parts.flatMap((part) => part.groups ?? []),
    chunks: parts.flatMap((part) => part.chunks ?? []),
    removedChunks: parts.flatMap((part) => part.removedChunks ?? []),
    gaps: [...gaps.values()],
    removedGaps: [...removed.values()],
    motion: parts.flatMap((part) => part.motion ?? []),
    deletions: parts.flatMap((part) => part.deletions ?? []),
  };
}

function keyOf(gap: Pick<GapRow, 'camera' | 'startUnixUs'>): string {
  return `${gap.camera} ${gap.startUnixUs}`;
}
