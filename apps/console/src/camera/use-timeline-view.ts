// Which part of time the camera page shows: it follows the player until somebody moves it away.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Signal } from '../signal.js';
import {
  clampView,
  followView,
  spanOf,
  viewAround,
  zoomView,
  type TimelineView,
} from '../timeline/view.js';

const HOUR_MS = 3_600_000;
/** Where now stands in the view while live. */
const LIVE_SHARE = 0.9;

const holds = (view: TimelineView, atMs: number): boolean =>
  atMs >= view.fromMs && atMs <= view.toMs;

export function useTimelineView(position: Signal<number | undefined>) {
  const [view, setView] = useState(() => viewAround(Date.now(), HOUR_MS, LIVE_SHARE));
  const following = useRef(true);
  const anchorMs = useCallback(() => position.get() ?? Date.now(), [position]);

  useEffect(() => {
    const follow = () => {
      if (!following.current) return;
      const atMs = position.get();
      setView((old) => {
        if (atMs !== undefined) return followView(old, atMs);
        const share = (Date.now() - old.fromMs) / spanOf(old);
        return share < LIVE_SHARE ? old : viewAround(Date.now(), spanOf(old), LIVE_SHARE);
      });
    };
    const stop = position.subscribe(follow);
    const timer = setInterval(follow, 1000);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [position]);

  /** By hand: the view stops following while the player is outside of it. */
  const move = useCallback(
    (next: TimelineView) => {
      following.current = holds(next, anchorMs());
      setView(next);
    },
    [anchorMs],
  );
  /** Brings an instant (or the present) into view and follows it. */
  const show = useCallback((atMs: number | undefined) => {
    following.current = true;
    setView((old) => {
      const wantedMs = atMs ?? Date.now();
      if (holds(old, wantedMs)) return old;
      return clampView(
        viewAround(wantedMs, spanOf(old), atMs === undefined ? LIVE_SHARE : 0.5),
        Date.now(),
      );
    });
  }, []);
  const zoom = useCallback(
    (factor: number) => {
      setView((old) => {
        const middle = (old.fromMs + old.toMs) / 2;
        const at = anchorMs();
        return zoomView(old, { factor, anchorMs: holds(old, at) ? at : middle }, Date.now());
      });
    },
    [anchorMs],
  );
  const setSpan = useCallback(
    (spanMs: number) => {
      following.current = true;
      const share = position.get() === undefined ? LIVE_SHARE : 0.5;
      setView(clampView(viewAround(anchorMs(), spanMs, share), Date.now()));
    },
    [anchorMs, position],
  );
  return { view, move, show, zoom, setSpan };
}
