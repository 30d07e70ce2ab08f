// The part of time that a timeline shows, and the arithmetic of zooming and moving it.

export interface TimelineView {
  readonly fromMs: number;
  readonly toMs: number;
}

export const MIN_SPAN_MS = 10_000;
export const MAX_SPAN_MS = 400 * 86_400_000;
/** How much of the view may lie in the future. */
const FUTURE_SHARE = 0.25;

export const spanOf = (view: TimelineView): number => view.toMs - view.fromMs;

/** Keeps the span within its limits and the view out of the far future. */
export function clampView(view: TimelineView, nowMs: number): TimelineView {
  const span = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, spanOf(view)));
  const middle = (view.fromMs + view.toMs) / 2;
  const fromMs = Math.max(0, Math.min(middle - span / 2, nowMs - span * (1 - FUTURE_SHARE)));
  return { fromMs, toMs: fromMs + span };
}

/** `factor` below 1 shows less time; the instant `anchorMs` stays where it is. */
export function zoomView(
  view: TimelineView,
  zoom: { factor: number; anchorMs: number },
  nowMs: number,
): TimelineView {
  const span = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, spanOf(view) * zoom.factor));
  const share = (zoom.anchorMs - view.fromMs) / spanOf(view);
  const fromMs = zoom.anchorMs - share * span;
  return clampView({ fromMs, toMs: fromMs + span }, nowMs);
}

export function panView(view: TimelineView, byMs: number, nowMs: number): TimelineView {
  return clampView({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, nowMs);
}

/** A view of `spanMs` with `atMs` at `share` of its width. */
export function viewAround(atMs: number, spanMs: number, share: number): TimelineView {
  return { fromMs: atMs - spanMs * share, toMs: atMs + spanMs * (1 - share) };
}

export const toX = (view: TimelineView, width: number, atMs: number): number =>
  ((atMs - view.fromMs) / spanOf(view)) * width;

export const toMs = (view: TimelineView, width: number, x: number): number =>
  view.fromMs + (x / Math.max(1, width)) * spanOf(view);

/** Moves the view only when `atMs` has left it (or is about to, on the right). */
export function followView(view: TimelineView, atMs: number): TimelineView {
  const share = (atMs - view.fromMs) / spanOf(view);
  if (share >= 0 && share <= 0.95) return view;
  return viewAround(atMs, spanOf(view), share > 0.95 && share < 1.5 ? 0.15 : 0.5);
}

/**
 * The period to ask the server for: the view and half as much on either side, on a coarse grid,
 * so that small moves ask for nothing.
 */
export function fetchPeriod(view: TimelineView): TimelineView {
  const grid = 2 ** Math.ceil(Math.log2(spanOf(view) / 2));
  return {
    fromMs: Math.max(0, Math.floor((view.fromMs - spanOf(view) / 2) / grid) * grid),
    toMs: Math.ceil((view.toMs + spanOf(view) / 2) / grid) * grid,
  };
}
