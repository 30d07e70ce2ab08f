// Where the axis has ticks and what it writes beside them, in local time.

import { formatClock, formatDay, formatFullDay, formatShortClock } from '../format.js';
import { spanOf, type TimelineView } from './view.js';

interface Tick {
  readonly atMs: number;
  /** Absent on small ticks. */
  readonly label?: string;
  /** Midnight, or the first of a month. */
  readonly strong: boolean;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps of labelled ticks, each with its small ticks. Days and months are walked by calendar. */
const STEPS: readonly { major: number; minor: number; months?: number }[] = [
  { major: SECOND, minor: SECOND / 5 },
  { major: 2 * SECOND, minor: SECOND },
  { major: 5 * SECOND, minor: SECOND },
  { major: 10 * SECOND, minor: 2 * SECOND },
  { major: 30 * SECOND, minor: 5 * SECOND },
  { major: MINUTE, minor: 10 * SECOND },
  { major: 2 * MINUTE, minor: 30 * SECOND },
  { major: 5 * MINUTE, minor: MINUTE },
  { major: 10 * MINUTE, minor: 2 * MINUTE },
  { major: 30 * MINUTE, minor: 5 * MINUTE },
  { major: HOUR, minor: 15 * MINUTE },
  { major: 2 * HOUR, minor: 30 * MINUTE },
  { major: 4 * HOUR, minor: HOUR },
  { major: 6 * HOUR, minor: HOUR },
  { major: 12 * HOUR, minor: 3 * HOUR },
  { major: DAY, minor: 6 * HOUR },
  { major: 2 * DAY, minor: DAY },
  { major: 7 * DAY, minor: DAY },
  { major: 31 * DAY, minor: 7 * DAY, months: 1 },
  { major: 92 * DAY, minor: 31 * DAY, months: 3 },
];

/** Ticks of a view that is `width` pixels wide, labels at least `labelWidth` apart. */
export function ticksOf(view: TimelineView, width: number, labelWidth = 84): Tick[] {
  const wanted = (spanOf(view) * labelWidth) / Math.max(1, width);
  const step = STEPS.find((row) => row.major >= wanted) ?? STEPS.at(-1);
  if (step === undefined) return [];
  const major = new Map<number, Tick>();
  const instants =
    step.months !== undefined ? monthStarts(view, step.months) : walk(view, step.major);
  for (const atMs of instants) {
    const strong = step.major >= DAY ? new Date(atMs).getDate() === 1 : isMidnight(atMs);
    major.set(atMs, { atMs, strong, label: labelOf(atMs, step.major) });
  }
  if (step.months === undefined) {
    for (const atMs of walk(view, step.minor)) {
      if (!major.has(atMs)) major.set(atMs, { atMs, strong: false });
    }
  }
  return [...major.values()].sort((a, b) => a.atMs - b.atMs);
}

const isMidnight = (atMs: number): boolean => {
  const date = new Date(atMs);
  return date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
};

function labelOf(atMs: number, stepMs: number): string {
  if (stepMs >= 31 * DAY) return formatFullDay(atMs);
  if (stepMs >= DAY || isMidnight(atMs)) return formatDay(atMs);
  return stepMs < MINUTE ? formatClock(atMs) : formatShortClock(atMs);
}

/** Instants on a grid that starts at local midnight; each day is walked anew, for summer time. */
function* walk(view: TimelineView, stepMs: number): Generator<number> {
  const midnight = new Date(view.fromMs);
  midnight.setHours(0, 0, 0, 0);
  if (stepMs >= DAY) {
    const days = Math.round(stepMs / DAY);
    // Counted from a fixed Monday, so that the same days keep their ticks while the view moves.
    const number = Math.round((midnight.getTime() - new Date(2001, 0, 1).getTime()) / DAY);
    midnight.setDate(midnight.getDate() - (((number % days) + days) % days));
    for (; midnight.getTime() <= view.toMs; midnight.setDate(midnight.getDate() + days)) {
      if (midnight.getTime() >= view.fromMs) yield midnight.getTime();
    }
    return;
  }
  while (midnight.getTime() <= view.toMs) {
    const start = midnight.getTime();
    midnight.setDate(midnight.getDate() + 1);
    const end = Math.min(midnight.getTime() - 1, view.toMs);
    const first = start + Math.max(0, Math.ceil((view.fromMs - start) / stepMs)) * stepMs;
    for (let atMs = first; atMs <= end; atMs += stepMs) yield atMs;
  }
}

function* monthStarts(view: TimelineView, months: number): Generator<number> {
  const start = new Date(view.fromMs);
  start.setHours(0, 0, 0, 0);
  start.setDate(1);
  start.setMonth(start.getMonth() - (start.getMonth() % months));
  for (; start.getTime() <= view.toMs; start.setMonth(start.getMonth() + months)) {
    if (start.getTime() >= view.fromMs) yield start.getTime();
  }
}
