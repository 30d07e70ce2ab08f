// One continuous story of a camera out of what several recorders tell: their footage together, gaps
// only where none of them has any, and who is to play which stretch.

import type { GapReason, TimelineAnswer, Track } from '#contract';
import { differenceOf, intersectionOf, unionOf, type Span } from './spans.js';

export type CameraTimeline = TimelineAnswer['cameras'][number];

/** As the recorders count: a shorter hole is jitter, not a gap. */
const SHORTEST_GAP_MS = 1000;
/** What was received last may not be safe yet, and is no gap. */
const UNSAFE_MS = 5000;
/** Longer than any footage: who would take over in the middle of its own comes last. */
const LATE_MS = 1e15;
/** The later, the less it says of why there is no footage: another recorder may know better. */
const WEAK_REASONS: readonly GapReason[] = ['unknown', 'restart'];

export interface StoryInput {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** Of each recorder that answered; the one that records the camera first. */
  readonly told: readonly CameraTimeline[];
  /** From when on a recorder that did not answer may have footage; undefined when all answered. */
  readonly awaySince?: number | undefined;
}

/** With one recorder, and that one there, exactly what it tells. */
export function tellStory(input: StoryInput): CameraTimeline {
  const [only] = input.told;
  if (only !== undefined && input.told.length === 1 && input.awaySince === undefined) return only;
  return {
    id: input.id,
    recordings: (['main', 'sub', 'audio'] as const).flatMap((track) =>
      unionOf(recordingsOf(input.told, track), SHORTEST_GAP_MS - 1).map((span) => ({
        ...instantsOf(span),
        track,
      })),
    ),
    motion: mergedMotion(input.told),
    gaps: gapsOf(input).map(({ reason, ...span }) => ({ ...instantsOf(span), reason })),
  };
}

/** Time without a main track anywhere, with the best reason that anybody gives. */
function gapsOf(input: StoryInput): (Span & { reason: GapReason })[] {
  const { told, from, now, awaySince } = input;
  const to = Math.min(input.to, now);
  const covered = unionOf(recordingsOf(told, 'main'));
  let free = differenceOf(unionOf([{ from, to }]), covered).filter(
    (span) => span.to - span.from >= SHORTEST_GAP_MS,
  );
  const gaps: (Span & { reason: GapReason })[] = [];
  const explain = (spans: readonly Span[], reason: GapReason) => {
    const explained = intersectionOf(free, unionOf(spans));
    free = differenceOf(free, explained);
    gaps.push(...explained.map((span) => ({ ...span, reason })));
  };
  const explainAs = (wanted: (reason: GapReason) => boolean) => {
    for (const { gaps: own } of told) {
      for (const reason of new Set(own.map((gap) => gap.reason).filter(wanted))) {
        explain(own.filter((gap) => gap.reason === reason).map(spanOf), reason);
      }
    }
  };
  explainAs((reason) => reason !== 'moved' && !WEAK_REASONS.includes(reason));
  explainAs((reason) => reason === 'restart');
  if (awaySince !== undefined) {
    explain([{ from: awaySince, to: now - UNSAFE_MS }], 'recorder-away');
  }
  explainAs((reason) => reason === 'moved' || reason === 'unknown');
  if (told.length > 1) {
    // Between what anybody knows, silence of all is a gap, too.
    const known = told.flatMap((one) => [...one.recordings, ...one.gaps]).map(spanOf);
    const [first] = unionOf(known, Infinity);
    if (first !== undefined) explain([first], 'unknown');
  }
  return joined(gaps.sort((a, b) => a.from - b.from));
}

export interface FootagePiece extends Span {
  readonly recorder: string;
}

/**
 * Who plays which stretch of the period, in order of time and without overlaps: one with the main
 * track before one with the sub track, and whoever goes on for longest. While somebody plays, another
 * takes over only where its own footage begins: that is a key frame, so nothing is decoded in vain.
 */
export function planFootage(
  told: readonly { readonly recorder: string; readonly camera: CameraTimeline }[],
  period: Span,
): FootagePiece[] {
  const having = (['main', 'sub'] as const).map((track) =>
    told.map(({ recorder, camera }) => ({
      recorder,
      spans: intersectionOf(unionOf(recordingsOf([camera], track)), [period]),
    })),
  );
  const bounds = [
    ...new Set(having.flat().flatMap(({ spans }) => spans.flatMap(({ from, to }) => [from, to]))),
  ].sort((a, b) => a - b);
  const cursors = new Map<readonly Span[], number>();
  const spanAt = (spans: readonly Span[], at: number): Span | undefined => {
    let index = cursors.get(spans) ?? 0;
    while (index < spans.length && (spans[index] as Span).to <= at) index += 1;
    cursors.set(spans, index);
    const span = spans[index];
    return span !== undefined && span.from <= at ? span : undefined;
  };
  const pieces: { recorder: string; from: number; to: number }[] = [];
  for (const [index, from] of bounds.entries()) {
    const to = bounds[index + 1];
    if (to === undefined) break;
    const last = pieces.at(-1);
    let best: { recorder: string; rank: number } | undefined;
    for (const track of having) {
      for (const { recorder, spans } of track) {
        const span = spanAt(spans, from);
        if (span === undefined) continue;
        const plays = last?.recorder === recorder && last.to === from;
        const rank = plays || span.from === from ? span.to : span.to - LATE_MS;
        if (best === undefined || rank > best.rank || (plays && rank === best.rank)) {
          best = { recorder, rank };
        }
      }
      if (best !== undefined) break;
    }
    if (best === undefined) continue;
    // One recorder goes on across gaps by itself.
    if (last?.recorder === best.recorder) last.to = to;
    else pieces.push({ recorder: best.recorder, from, to });
  }
  return pieces;
}

/** What a clip of the period lacks: neither main nor sub track, by the reasons of the story. */
export function missingFrom(
  told: readonly CameraTimeline[],
  story: CameraTimeline,
  period: Span & { readonly now: number },
): (Span & { reason: GapReason })[] {
  const to = Math.min(period.to, period.now - UNSAFE_MS);
  const seen = unionOf([...recordingsOf(told, 'main'), ...recordingsOf(told, 'sub')]);
  let free = differenceOf(unionOf([{ from: period.from, to }]), seen).filter(
    (span) => span.to - span.from >= SHORTEST_GAP_MS,
  );
  const missing: (Span & { reason: GapReason })[] = [];
  for (const reason of new Set(story.gaps.map((gap) => gap.reason))) {
    const own = story.gaps.filter((gap) => gap.reason === reason).map(spanOf);
    const explained = intersectionOf(free, unionOf(own));
    missing.push(...explained.map((span) => ({ ...span, reason })));
    free = differenceOf(free, explained);
  }
  missing.push(...free.map((span) => ({ ...span, reason: 'unknown' as const })));
  return joined(missing.sort((a, b) => a.from - b.from));
}

/** Two recorders that saw the same movement saw one. */
function mergedMotion(told: readonly CameraTimeline[]): CameraTimeline['motion'] {
  const all = told.flatMap(({ motion }) => motion).sort((a, b) => (a.from < b.from ? -1 : 1));
  const merged: CameraTimeline['motion'] = [];
  for (const next of all) {
    const last = merged.at(-1);
    if (last === undefined || next.from >= last.to) merged.push({ ...next });
    else {
      last.to = next.to > last.to ? next.to : last.to;
      last.peak = Math.max(last.peak, next.peak);
    }
  }
  return merged;
}

function recordingsOf(told: readonly CameraTimeline[], track: Track): Span[] {
  return told.flatMap(({ recordings }) =>
    recordings.filter((span) => span.track === track).map(spanOf),
  );
}

function joined(gaps: readonly (Span & { reason: GapReason })[]): (Span & { reason: GapReason })[] {
  const out: { from: number; to: number; reason: GapReason }[] = [];
  for (const gap of gaps) {
    const last = out.at(-1);
    if (last?.reason === gap.reason && last.to === gap.from) last.to = gap.to;
    else out.push({ ...gap });
  }
  return out;
}

function spanOf({ from, to }: { from: string; to: string }): Span {
  return { from: Date.parse(from), to: Date.parse(to) };
}

function instantsOf({ from, to }: Span): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
