// Below the timeline: how much time it shows, what its colours mean, and what to do with a range.

import { ActionIcon, Button, SegmentedControl, Tooltip } from '@mantine/core';
import { IconDownload, IconFileExport, IconX } from '@tabler/icons-react';
import { fillPath } from '../api/paths.js';
import { formatClock, formatSpan } from '../format.js';
import type { TimelineRange } from '../timeline/draw.js';
import { Legend } from '../timeline/Legend.js';
import type { TimelineSpans } from '../timeline/spans.js';
import { spanOf, type TimelineView } from '../timeline/view.js';
import classes from './Camera.module.css';

const MINUTE = 60_000;
const SPANS: readonly { value: string; label: string; ms: number }[] = [
  { value: '5m', label: '5 min', ms: 5 * MINUTE },
  { value: '1h', label: '1 h', ms: 60 * MINUTE },
  { value: '6h', label: '6 h', ms: 360 * MINUTE },
  { value: '1d', label: '1 d', ms: 1440 * MINUTE },
  { value: '7d', label: '7 d', ms: 7 * 1440 * MINUTE },
  { value: '30d', label: '30 d', ms: 30 * 1440 * MINUTE },
];

interface RangeBarProps {
  readonly camera: { id: string; name: string };
  readonly view: TimelineView;
  readonly spans: TimelineSpans;
  readonly range: TimelineRange;
  readonly mayExport: boolean;
  onSpan(spanMs: number): void;
  onRange(range: TimelineRange): void;
  onMark(edge: 'in' | 'out'): void;
  onExport(): void;
}

/** The address of the range as one MP4; undefined until both ends are marked. */
export function clipHref(camera: string, range: TimelineRange): string | undefined {
  if (range.fromMs === undefined || range.toMs === undefined) return undefined;
  return fillPath(
    '/api/cameras/:id/clip.mp4',
    { id: camera },
    { from: new Date(range.fromMs).toISOString(), to: new Date(range.toMs).toISOString() },
  );
}

export function RangeBar(props: RangeBarProps) {
  const { camera, view, range } = props;
  const near = SPANS.find((row) => Math.abs(row.ms / spanOf(view) - 1) < 0.02);
  const href = clipHref(camera.id, range);
  const hint = 'Mark a range first: Shift and drag on the timeline, or the keys I and O';
  return (
    <div className={classes.rangeBar}>
      <SegmentedControl
        aria-label="Timeline span"
        data={SPANS.map(({ value, label }) => ({ value, label }))}
        value={near?.value ?? ''}
        onChange={(value) => {
          const span = SPANS.find((row) => row.value === value);
          if (span !== undefined) props.onSpan(span.ms);
        }}
      />
      <div className={classes.legendBox}>
        <Legend spans={props.spans} view={view} />
      </div>
      <Edge label="In" atMs={range.fromMs} onMark={() => props.onMark('in')} />
      <Edge label="Out" atMs={range.toMs} onMark={() => props.onMark('out')} />
      {range.fromMs !== undefined && range.toMs !== undefined && (
        <span className={classes.rangeSpan}>{formatSpan(range.toMs - range.fromMs)}</span>
      )}
      {(range.fromMs !== undefined || range.toMs !== undefined) && (
        <Tooltip label="Clear the range (Esc)">
          <ActionIcon aria-label="Clear the range" size="sm" onClick={() => props.onRange({})}>
            <IconX size={14} />
          </ActionIcon>
        </Tooltip>
      )}
      <Tooltip label={href === undefined ? hint : 'The range as one MP4, unchanged (D)'}>
        <Button
          component="a"
          {...(href === undefined ? {} : { href, download: '' })}
          variant="default"
          data-testid="clip-download"
          data-disabled={href === undefined}
          aria-disabled={href === undefined}
          leftSection={<IconDownload size={15} />}
        >
          Clip
        </Button>
      </Tooltip>
      {props.mayExport && (
        <Tooltip label={href === undefined ? hint : 'Signed evidence with a note, as a ZIP'}>
          <Button
            variant="default"
            data-disabled={href === undefined}
            leftSection={<IconFileExport size={15} />}
            data-testid="export-open"
            onClick={() => {
              if (href !== undefined) props.onExport();
            }}
          >
            Export
          </Button>
        </Tooltip>
      )}
    </div>
  );
}

function Edge({
  label,
  atMs,
  onMark,
}: {
  label: string;
  atMs: number | undefined;
  onMark: () => void;
}) {
  return (
    <Tooltip
      label={`Mark the ${label === 'In' ? 'start' : 'end'} here (${label === 'In' ? 'I' : 'O'})`}
    >
      <Button variant="subtle" color="gray" size="compact-xs" onClick={onMark}>
        {label} {atMs === undefined ? '––:––:––' : formatClock(atMs)}
      </Button>
    </Tooltip>
  );
}
