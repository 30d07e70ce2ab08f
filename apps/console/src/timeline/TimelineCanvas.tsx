// The timeline of one camera: drawn on a canvas, moved by pointer, wheel and keys.

import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import type { Signal } from '../signal.js';
import { drawTimeline, type TimelineRange } from './draw.js';
import { listenToGestures } from './gestures.js';
import { HoverPreview } from './HoverPreview.js';
import type { TimelineSpans } from './spans.js';
import classes from './Timeline.module.css';
import type { TimelineView } from './view.js';

interface TimelineCanvasProps {
  readonly camera: string;
  readonly view: TimelineView;
  readonly spans: TimelineSpans;
  /** Where the player is; undefined while it shows the present. */
  readonly position: Signal<number | undefined>;
  readonly range: TimelineRange;
  readonly loading: boolean;
  onView(view: TimelineView): void;
  onSeek(atMs: number): void;
  onRange(range: TimelineRange): void;
}

export function TimelineCanvas(props: TimelineCanvasProps) {
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const { ref: boxRef, width, height } = useElementSize();
  const [hover, setHover] = useState<{ x: number; atMs: number }>();
  const latest = useRef({ ...props, hoverMs: hover?.atMs });
  const redraw = useRef<() => void>(() => undefined);

  useEffect(() => {
    latest.current = { ...props, hoverMs: hover?.atMs };
    redraw.current();
  });

  useEffect(() => {
    const canvas = canvasRef.current;
    const context = canvas?.getContext('2d');
    if (canvas === null || context === null || context === undefined || width === 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    let frame = 0;
    const draw = () => {
      frame = 0;
      const { view, spans, position, range, hoverMs } = latest.current;
      const positionMs = position.get();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      drawTimeline(
        context,
        { width, height },
        { view, spans, nowMs: Date.now(), positionMs, hoverMs, range },
      );
      canvas.dataset['position'] =
        positionMs === undefined ? 'live' : String(Math.round(positionMs));
    };
    const request = () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    redraw.current = request;
    request();
    const timer = setInterval(request, 1000);
    const stop = latest.current.position.subscribe(request);
    return () => {
      stop();
      clearInterval(timer);
      cancelAnimationFrame(frame);
    };
  }, [width, height, props.position]);

  useEffect(() => {
    const canvas = canvasRef.current;
    if (canvas === null) return;
    const listening = new AbortController();
    listenToGestures(
      canvas,
      {
        view: () => latest.current.view,
        onView: (view) => latest.current.onView(view),
        onSeek: (atMs) => latest.current.onSeek(atMs),
        onRange: (range) => latest.current.onRange(range),
        onHover: setHover,
      },
      listening.signal,
    );
    return () => listening.abort();
  }, []);

  return (
    <div className={classes.root} ref={boxRef} data-loading={props.loading}>
      <canvas
        ref={canvasRef}
        className={classes.canvas}
        aria-label="Timeline: recordings, motion and gaps"
        data-testid="timeline-canvas"
        data-from={Math.round(props.view.fromMs)}
        data-to={Math.round(props.view.toMs)}
      />
      {hover !== undefined && (
        <HoverPreview
          camera={props.camera}
          hover={hover}
          width={width}
          spans={props.spans}
          view={props.view}
        />
      )}
    </div>
  );
}
