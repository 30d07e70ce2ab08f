// Turns pointers and the wheel over a timeline into seeks, moves, zooms and chosen ranges.

import { panView, spanOf, toMs, zoomView, type TimelineView } from './view.js';

interface GestureTarget {
  view(): TimelineView;
  onView(view: TimelineView): void;
  onSeek(atMs: number): void;
  /** While a range is drawn with Shift; ordered. */
  onRange(range: { fromMs: number; toMs: number }): void;
  /** Undefined when the pointer leaves. */
  onHover(hover: { x: number; atMs: number } | undefined): void;
}

/** Movement below this is a click, in CSS pixels. */
const CLICK_PX = 4;

interface Press {
  readonly startX: number;
  x: number;
  moved: boolean;
}

/** Listens on `element` until `signal` aborts. */
export function listenToGestures(
  element: HTMLElement,
  target: GestureTarget,
  signal: AbortSignal,
): void {
  const presses = new Map<number, Press>();
  let rangeStartMs: number | undefined;
  let startView = target.view();

  const xOf = (event: { clientX: number }) => event.clientX - element.getBoundingClientRect().left;
  const msOf = (x: number, view = target.view()) => toMs(view, element.clientWidth, x);

  const pinch = () => {
    const [a, b] = [...presses.values()];
    if (a === undefined || b === undefined) return;
    const before = Math.max(20, Math.abs(a.startX - b.startX));
    const after = Math.max(20, Math.abs(a.x - b.x));
    const anchorMs = msOf((a.startX + b.startX) / 2, startView);
    const zoomed = zoomView(startView, { factor: before / after, anchorMs }, Date.now());
    const middle = (a.x + b.x) / 2 - (a.startX + b.startX) / 2;
    const byMs = (-middle / element.clientWidth) * spanOf(zoomed);
    target.onView(panView(zoomed, byMs, Date.now()));
  };

  element.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      const x = xOf(event);
      element.setPointerCapture(event.pointerId);
      presses.set(event.pointerId, { startX: x, x, moved: false });
      startView = target.view();
      if (presses.size === 1) rangeStartMs = event.shiftKey ? msOf(x) : undefined;
      else
        for (const press of presses.values())
          Object.assign(press, { startX: press.x, moved: true });
    },
    { signal },
  );

  element.addEventListener(
    'pointermove',
    (event) => {
      const x = xOf(event);
      const press = presses.get(event.pointerId);
      if (press === undefined) {
        if (event.pointerType !== 'touch') target.onHover({ x, atMs: msOf(x) });
        return;
      }
      press.x = x;
      if (Math.abs(x - press.startX) > CLICK_PX) press.moved = true;
      if (!press.moved) return;
      if (presses.size === 2) {
        pinch();
      } else if (rangeStartMs !== undefined) {
        const endMs = msOf(x);
        target.onRange({
          fromMs: Math.min(rangeStartMs, endMs),
          toMs: Math.max(rangeStartMs, endMs),
        });
        target.onHover({ x, atMs: endMs });
      } else {
        target.onHover(undefined);
        const byMs = ((press.startX - x) / element.clientWidth) * spanOf(startView);
        target.onView(panView(startView, byMs, Date.now()));
      }
    },
    { signal },
  );

  const release = (event: PointerEvent) => {
    const press = presses.get(event.pointerId);
    presses.delete(event.pointerId);
    startView = target.view();
    for (const other of presses.values()) other.x = other.startX;
    if (press !== undefined && !press.moved && event.type === 'pointerup') {
      target.onSeek(msOf(press.x));
    }
  };
  element.addEventListener('pointerup', release, { signal });
  element.addEventListener('pointercancel', release, { signal });
  element.addEventListener('pointerleave', () => target.onHover(undefined), { signal });

  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const view = target.view();
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      if (sideways) {
        const pixels = event.deltaX === 0 ? event.deltaY : event.deltaX;
        target.onView(panView(view, (pixels / element.clientWidth) * spanOf(view), Date.now()));
        return;
      }
      // Lines and pages are turned into pixels; a pinch on a touchpad comes as small steps.
      const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : 33);
      const factor = Math.exp(pixels * (event.ctrlKey ? 0.012 : 0.0022));
      target.onView(zoomView(view, { factor, anchorMs: msOf(xOf(event)) }, Date.now()));
    },
    { signal, passive: false },
  );
}
