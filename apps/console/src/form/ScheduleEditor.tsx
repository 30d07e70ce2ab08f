// A week of hours, painted with a mode by dragging.

import { SegmentedControl } from '@mantine/core';
import { useState, type PointerEvent } from 'react';
import { recordingModeSchema, type RecordingMode, type ScheduleEntry } from '#contract';
import classes from './Form.module.css';
import { isWhole, paint, toSchedule, toWeekGrid } from './schedule-grid.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const BRUSHES: Record<RecordingMode | 'usual', string> = {
  usual: 'As usual',
  motion: 'Motion',
  'motion+lowres': 'Motion + low',
  continuous: 'Always',
  off: 'Off',
};
const COLORS: Record<RecordingMode | 'usual', string> = {
  usual: '#0e1216',
  motion: '#8f7032',
  'motion+lowres': '#5d7f49',
  continuous: '#3f7f99',
  off: '#3a434e',
};

interface ScheduleEditorProps {
  readonly schedule: readonly ScheduleEntry[];
  readonly baseMode: RecordingMode;
  onChange(schedule: ScheduleEntry[]): void;
}

export function ScheduleEditor({ schedule, onChange }: ScheduleEditorProps) {
  const [brush, setBrush] = useState<RecordingMode | 'usual'>('continuous');
  const [area, setArea] = useState<{ from: number; to: number }>();
  const mode = brush === 'usual' ? undefined : brush;
  const grid = toWeekGrid(schedule);
  const shown = area === undefined ? grid : paint(grid, area, mode);
  const hourAt = (event: PointerEvent): number | undefined => {
    const element = document.elementFromPoint(event.clientX, event.clientY);
    const hour = element instanceof HTMLElement ? element.dataset['hour'] : undefined;
    return hour === undefined ? undefined : Number(hour);
  };
  return (
    <>
      <SegmentedControl
        aria-label="Mode to paint"
        fullWidth
        data={(['usual', ...recordingModeSchema.options] as const).map((value) => ({
          value,
          label: (
            <>
              <i className={classes.swatch} style={{ background: COLORS[value] }} />
              {BRUSHES[value]}
            </>
          ),
        }))}
        value={brush}
        onChange={(value) => {
          const parsed = recordingModeSchema.safeParse(value);
          setBrush(parsed.success ? parsed.data : 'usual');
        }}
      />
      <div
        className={classes.week}
        data-testid="schedule"
        onPointerDown={(event) => {
          const hour = hourAt(event);
          if (hour === undefined) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setArea({ from: hour, to: hour });
        }}
        onPointerMove={(event) => {
          const hour = area === undefined ? undefined : hourAt(event);
          if (area !== undefined && hour !== undefined) setArea({ ...area, to: hour });
        }}
        onPointerUp={() => {
          if (area === undefined) return;
          setArea(undefined);
          onChange(toSchedule(paint(grid, area, mode)));
        }}
        onPointerCancel={() => setArea(undefined)}
      >
        <span />
        {Array.from({ length: 24 }, (_, hour) => (
          <span key={hour}>{hour % 3 === 0 ? hour : ''}</span>
        ))}
        {DAYS.map((day, dayIndex) => [
          <span key={day}>{day}</span>,
          ...Array.from({ length: 24 }, (_, hour) => {
            const at = dayIndex * 24 + hour;
            return (
              <div
                key={at}
                className={classes.hour}
                data-hour={at}
                data-mode={shown[at]}
                title={`${day} ${String(hour).padStart(2, '0')}:00: ${BRUSHES[shown[at] ?? 'usual']}`}
              />
            );
          }),
        ])}
      </div>
      <p className={classes.quiet}>
        Choose a mode, then drag over the hours it holds for. Hours are those of the recorder’s
        clock.
        {!isWhole(schedule) &&
          ' Entries that do not start on the hour are shown rounded; painting rounds them.'}
      </p>
    </>
  );
}
