// A camera's spans around a view, kept fresh while the view holds the present; and searches in them.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { calls } from '../api/calls.js';
import {
  isRecorded,
  neighbourMotion,
  nextRecordedMs,
  NO_SPANS,
  toSpans,
  type TimelineSpans,
} from './spans.js';
import { fetchPeriod, type TimelineView } from './view.js';

/** What was recorded so shortly before the answer may have come into the index after it. */
const FRESH_MS = 5000;
const HOUR_MS = 3_600_000;
const FAR_MS = 400 * 24 * HOUR_MS;

export function useCameraTimeline(camera: string, view: TimelineView) {
  const period = fetchPeriod(view);
  const holdsNow = period.toMs > Date.now();
  const query = useQuery({
    queryKey: ['timeline', camera, period.fromMs, period.toMs],
    queryFn: ({ signal }) => calls.timeline([camera], period, signal),
    placeholderData: keepPreviousData,
    refetchInterval: holdsNow ? 3000 : 60_000,
    staleTime: holdsNow ? 0 : 30_000,
    gcTime: 60_000,
  });
  const answer = query.data;
  const spans = useMemo(
    () => toSpans(answer?.cameras.find((row) => row.id === camera)),
    [answer, camera],
  );
  const mayBeRecorded = (atMs: number): boolean => {
    const known =
      query.data !== undefined &&
      !query.isPlaceholderData &&
      atMs >= period.fromMs &&
      atMs < Math.min(period.toMs, query.dataUpdatedAt - FRESH_MS);
    return !known || isRecorded(spans, atMs);
  };
  return {
    mayBeRecorded,
    spans: query.data === undefined ? NO_SPANS : spans,
    unavailable: answer?.unavailable,
    error: query.error,
    isLoading: query.isFetching && query.isPlaceholderData,
    refetch: query.refetch,
  };
}

/** Asks ever longer periods, so that the near is found soon and the far is found at all. */
async function search<T>(
  o: { camera: string; atMs: number; direction: 'previous' | 'next' },
  find: (spans: TimelineSpans) => T | undefined,
): Promise<T | undefined> {
  const nowMs = Date.now();
  for (let spanMs = HOUR_MS; ; spanMs = Math.min(FAR_MS, spanMs * 12)) {
    const period =
      o.direction === 'next'
        ? { fromMs: o.atMs, toMs: Math.min(nowMs, o.atMs + spanMs) }
        : { fromMs: Math.max(0, o.atMs - spanMs), toMs: o.atMs };
    if (period.toMs - period.fromMs < 1000) return undefined;
    const answer = await calls.timeline([o.camera], period);
    const found = find(toSpans(answer.cameras.find((row) => row.id === o.camera)));
    if (found !== undefined) return found;
    if (spanMs === FAR_MS || (o.direction === 'next' && o.atMs + spanMs >= nowMs)) return undefined;
  }
}

/** The first recorded instant at or after `atMs`, up to now. */
export const findRecorded = (camera: string, atMs: number): Promise<number | undefined> =>
  search({ camera, atMs, direction: 'next' }, (spans) => nextRecordedMs(spans, atMs));

/** The start of the next or previous motion. */
export async function findMotion(
  camera: string,
  atMs: number,
  direction: 'previous' | 'next',
): Promise<number | undefined> {
  const found = await search({ camera, atMs, direction }, (spans) =>
    neighbourMotion(spans, atMs, direction),
  );
  return found?.fromMs;
}
