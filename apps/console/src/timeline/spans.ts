// A camera's timeline as numbers, and questions about one instant of it.

import type { GapReason, TimelineAnswer, Track } from '#contract';
import { formatPercent } from '../format.js';
import { GAP_STYLE } from './gap-style.js';

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}
export interface TimelineSpans {
  readonly recordings: readonly (Span & { track: Track })[];
  readonly motion: readonly (Span & { peak: number })[];
  readonly gaps: readonly (Span & { reason: GapReason })[];
}

export const NO_SPANS: TimelineSpans = { recordings: [], motion: [], gaps: [] };

const toSpan = (row: { from: string; to: string }): Span => ({
  fromMs: Date.parse(row.from),
  toMs: Date.parse(row.to),
});

/** Each list by time. */
export function toSpans(camera: TimelineAnswer['cameras'][number] | undefined): TimelineSpans {
  if (camera === undefined) return NO_SPANS;
  const byTime = (a: Span, b: Span) => a.fromMs - b.fromMs;
  return {
    recordings: camera.recordings.map((row) => ({ ...toSpan(row), track: row.track })).sort(byTime),
    motion: camera.motion.map((row) => ({ ...toSpan(row), peak: row.peak })).sort(byTime),
    gaps: camera.gaps.map((row) => ({ ...toSpan(row), reason: row.reason })).sort(byTime),
  };
}

const covers = (atMs: number) => (span: Span) => span.fromMs <= atMs && atMs < span.toMs;

export const isRecorded = (spans: TimelineSpans, atMs: number): boolean =>
  spans.recordings.some((span) => span.track !== 'audio' && covers(atMs)(span));

/** What there is at an instant, in words, the most important first. */
export function describeInstant(spans: TimelineSpans, atMs: number, nowMs: number): string[] {
  if (atMs > nowMs) return ['The future'];
  const lines: string[] = [];
  const moving = spans.motion.filter(covers(atMs));
  if (moving.length > 0) {
    lines.push(`Motion, peak ${formatPercent(Math.max(...moving.map((span) => span.peak)))}`);
  }
  const tracks = new Set(spans.recordings.filter(covers(atMs)).map((span) => span.track));
  if (tracks.has('main')) lines.push('Recorded');
  else if (tracks.has('sub')) lines.push('Recorded at low resolution only');
  const gap = spans.gaps.find(covers(atMs));
  if (gap !== undefined && !tracks.has('main')) lines.push(GAP_STYLE[gap.reason].text);
  return lines.length > 0 ? lines : ['No recording'];
}

/** The start of the recording that holds `atMs` or of the next one after it. */
export function nextRecordedMs(spans: TimelineSpans, atMs: number): number | undefined {
  let best: number | undefined;
  for (const span of spans.recordings) {
    if (span.track === 'audio' || span.toMs <= atMs) continue;
    const start = Math.max(span.fromMs, atMs);
    if (best === undefined || start < best) best = start;
  }
  return best;
}

/** The motion that starts after (or before) an instant, nearest first. */
export function neighbourMotion(
  spans: TimelineSpans,
  atMs: number,
  direction: 'previous' | 'next',
): Span | undefined {
  if (direction === 'next') return spans.motion.find((span) => span.fromMs > atMs + 500);
  return spans.motion.findLast((span) => span.fromMs < atMs - 2000);
}

/** The greatest peak in each of `width` columns, for drawing thousands of spans in one pass. */
export function motionColumns(
  spans: TimelineSpans,
  toX: (atMs: number) => number,
  width: number,
): Float32Array {
  const columns = new Float32Array(Math.max(0, Math.ceil(width)));
  for (const span of spans.motion) {
    const first = Math.floor(toX(span.fromMs));
    const last = Math.max(first, Math.ceil(toX(span.toMs)) - 1);
    if (last < 0 || first >= columns.length) continue;
    for (let x = Math.max(0, first); x <= Math.min(last, columns.length - 1); x += 1) {
      columns[x] = Math.max(columns[x] ?? 0, span.peak);
    }
  }
  return columns;
}
