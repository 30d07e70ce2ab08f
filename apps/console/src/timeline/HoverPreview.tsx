// Above the pointer: the time, what there is, and the picture of that time.

import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { fillPath } from '../api/paths.js';
import { formatClock, formatDay } from '../format.js';
import { describeInstant, isRecorded, type TimelineSpans } from './spans.js';
import classes from './Timeline.module.css';
import { spanOf, type TimelineView } from './view.js';

interface HoverPreviewProps {
  readonly camera: string;
  readonly hover: { x: number; atMs: number };
  readonly width: number;
  readonly spans: TimelineSpans;
  readonly view: TimelineView;
}

const WIDTH = 208;
const DEBOUNCE_MS = 110;

export function HoverPreview({ camera, hover, width, spans, view }: HoverPreviewProps) {
  // One pixel of a long view is many seconds; equal requests come from the browser's cache.
  const grid = Math.max(200, spanOf(view) / Math.max(1, width));
  const atMs = Math.round(hover.atMs / grid) * grid;
  const [settledMs] = useDebouncedValue(Math.round(atMs), DEBOUNCE_MS);
  const [failedMs, setFailedMs] = useState<number>();
  const nowMs = Date.now();
  const lines = describeInstant(spans, hover.atMs, nowMs);
  const pictured =
    isRecorded(spans, settledMs) && settledMs < nowMs - 1500 && failedMs !== settledMs;
  const left = Math.max(4, Math.min(width - WIDTH - 4, hover.x - WIDTH / 2));
  return (
    <div className={classes.preview} style={{ left, width: WIDTH }} data-testid="timeline-preview">
      {pictured && (
        <img
          alt=""
          src={fillPath(
            '/api/cameras/:id/frame.jpg',
            { id: camera },
            { at: settledMs, height: 180 },
          )}
          onError={() => setFailedMs(settledMs)}
        />
      )}
      <div className={classes.previewTime}>
        {formatClock(hover.atMs)} <span>{formatDay(hover.atMs)}</span>
      </div>
      {lines.map((line) => (
        <div key={line} className={classes.previewLine}>
          {line}
        </div>
      ))}
    </div>
  );
}
