// How far long work is, drawn in one line of a terminal: share, count, rate and what is left.

import type { Step } from './report.js';

const WIDTH = 24;
const DRAW_EVERY_MS = 100;
/** Before that a forecast says nothing. */
const FORECAST_FROM_MS = 2000;

export class ProgressBar {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #columns: () => number;
  readonly #startMs: number;
  #drawnMs = -Infinity;
  #isDrawn = false;

  /** `now` in milliseconds, from any moment on. */
  constructor(o: { write: (text: string) => void; now: () => number; columns: () => number }) {
    this.#write = o.write;
    this.#now = o.now;
    this.#columns = o.columns;
    this.#startMs = o.now();
  }

  /** Draws no more than ten times a second, however often it is told. */
  show(step: Step): void {
    const nowMs = this.#now();
    if (nowMs - this.#drawnMs < DRAW_EVERY_MS && step.done !== step.total) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    const text = lineOf(step, nowMs - this.#startMs);
    // Some terminals do not say how wide they are.
    this.#write(`\r\u001B[K${text.slice(0, (this.#columns() || 80) - 1)}`);
  }

  clear(): void {
    if (this.#isDrawn) this.#write('\r\u001B[K');
    this.#isDrawn = false;
  }
}

function lineOf({ done, total, unit, bytes }: Step, elapsedMs: number): string {
  const parts: string[] = [];
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
  if (share === undefined) {
    parts.push(`${done} ${unit}`);
  } else {
    const full = Math.round(share * WIDTH);
    const bar = `${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}`;
    parts.push(`[${bar}] ${Math.floor(share * 100)} %`, `${done} of ${total} ${unit}`);
  }
  if (bytes !== undefined) {
    const rate = elapsedMs > 0 ? bytes / 1000 / elapsedMs : 0;
    parts.push(`${(bytes / 1e9).toFixed(2)} GB`, `${rate.toFixed(0)} MB/s`);
  }
  if (share !== undefined && share > 0 && share < 1 && elapsedMs >= FORECAST_FROM_MS) {
    parts.push(`${durationOf((elapsedMs / share) * (1 - share))} left`);
  }
  return parts.join('  ');
}

function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
