// Rules, states and forecasts of the storage in the words of people.

import type { Storage } from '#contract';
import { formatBytes } from '../format.js';

type Use = Storage['cameras'][number];
type Disk = Storage['disks'][number];

/** Ends "goes by …", "went by …". */
const RULE: Readonly<Record<string, string>> = {
  age: 'its days',
  'motion-age': 'its days of movement',
  'lowres-age': 'its days of low resolution',
  'camera-bytes': 'the camera’s gigabytes',
  'disk-space': 'space on the disk',
  missing: 'its file was missing',
};

export const ruleText = (rule: string): string => RULE[rule] ?? rule;

const LIMIT: Readonly<Record<NonNullable<Use['limitedBy']>, string>> = {
  age: 'by its days',
  'camera-bytes': 'by its gigabytes',
  'disk-space': 'by the disks',
};

export function daysText(days: number): string {
  if (days < 1) return days * 24 < 1 ? 'under 1 h' : `${Math.round(days * 24)} h`;
  return `${days < 10 ? Number(days.toFixed(1)) : Math.round(days)} d`;
}

/** `7 d`, and what reaches further: `movement 30 d`. */
export function reachLines(use: Use): string[] {
  const { forecastDays, forecastMotionDays, forecastLowresDays } = use;
  if (forecastDays === undefined) return [];
  return [
    daysText(forecastDays),
    ...(forecastMotionDays === undefined ? [] : [`movement ${daysText(forecastMotionDays)}`]),
    ...(forecastLowresDays === undefined ? [] : [`low resolution ${daysText(forecastLowresDays)}`]),
  ];
}

export const limitText = ({ limitedBy }: Use): string =>
  limitedBy === undefined ? '' : LIMIT[limitedBy];

interface DiskWords {
  readonly text: string;
  readonly level: 'ok' | 'quiet' | 'bad';
  readonly records: boolean;
}

const STATE: Readonly<Record<Disk['state'], DiskWords>> = {
  ok: { text: 'ok', level: 'ok', records: true },
  // As it is most of the time where footage goes for space.
  low: { text: 'making room', level: 'quiet', records: true },
  // Others take what comes meanwhile.
  slow: { text: 'too slow', level: 'bad', records: false },
  critical: { text: 'nearly full', level: 'bad', records: true },
  full: { text: 'full', level: 'bad', records: false },
  failed: { text: 'not usable', level: 'bad', records: false },
};

export const stateOf = ({ state }: Pick<Disk, 'state'>): DiskWords => STATE[state];

export const countText = (count: number): string => count.toLocaleString('en-GB');

/** How long the space lasts, as sentences. */
export function spaceText(storage: Storage): string {
  const perDay = storage.cameras.reduce((sum, row) => sum + row.bytesPerDay, 0);
  if (perDay === 0) return 'Nothing is being recorded now.';
  const rate = `All cameras together bring ${formatBytes(perDay)} a day.`;
  // A forecast from full disks would promise what they do not keep.
  if (!storage.disks.some((disk) => stateOf(disk).records)) {
    return `${rate} No disk takes footage now.`;
  }
  const isShort = storage.cameras.some(({ limitedBy }) => limitedBy === 'disk-space');
  if (isShort)
    return `${rate} The disks cannot hold all that the rules keep: the oldest goes sooner.`;
  return `${rate} The disks hold all that the rules keep.`;
}

/** What the scrub is at, of which a round is a share of 0..1. */
export function scrubShare({ state, bytes, totalBytes }: Storage['scrubs'][number]): number {
  if (state === 'resting') return 1;
  return totalBytes === 0 ? 0 : Math.min(1, bytes / totalBytes);
}
