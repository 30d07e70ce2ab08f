// A weekly schedule as 168 hours, Monday 00:00 first, and back to the contract's entries.

import type { RecordingMode, ScheduleEntry } from '#contract';

export const WEEK_HOURS = 168;
const MINUTES = 60;

/** A mode per hour; undefined where the camera's own mode holds. */
type WeekGrid = readonly (RecordingMode | undefined)[];

/** An hour takes the mode that covers most of it. */
export function toWeekGrid(schedule: readonly ScheduleEntry[] | undefined): WeekGrid {
  return Array.from({ length: WEEK_HOURS }, (_, hour) => {
    const from = hour * MINUTES;
    let best: { mode: RecordingMode; minutes: number } | undefined;
    for (const entry of schedule ?? []) {
      const minutes = Math.min(entry.toMinute, from + MINUTES) - Math.max(entry.fromMinute, from);
      if (minutes >= MINUTES / 2 && minutes > (best?.minutes ?? 0))
        best = { mode: entry.mode, minutes };
    }
    return best?.mode;
  });
}

/** Neighbouring hours of one mode become one entry. */
export function toSchedule(grid: WeekGrid): ScheduleEntry[] {
  const entries: ScheduleEntry[] = [];
  grid.forEach((mode, hour) => {
    if (mode === undefined) return;
    const fromMinute = hour * MINUTES;
    const last = entries.at(-1);
    if (last?.mode === mode && last.toMinute === fromMinute) last.toMinute = fromMinute + MINUTES;
    else entries.push({ fromMinute, toMinute: fromMinute + MINUTES, mode });
  });
  return entries;
}

/** Whether every entry starts and ends on an hour, so that the grid shows all of it. */
export const isWhole = (schedule: readonly ScheduleEntry[] | undefined): boolean =>
  (schedule ?? []).every((row) => row.fromMinute % MINUTES === 0 && row.toMinute % MINUTES === 0);

/** Paints the rectangle between two hours (day by hour of day, in any order). */
export function paint(
  grid: WeekGrid,
  area: { from: number; to: number },
  mode: RecordingMode | undefined,
): WeekGrid {
  const days = [Math.floor(area.from / 24), Math.floor(area.to / 24)].sort((a, b) => a - b);
  const hours = [area.from % 24, area.to % 24].sort((a, b) => a - b);
  return grid.map((old, at) => {
    const day = Math.floor(at / 24);
    const hour = at % 24;
    const inside =
      day >= (days[0] ?? 0) &&
      day <= (days[1] ?? 0) &&
      hour >= (hours[0] ?? 0) &&
      hour <= (hours[1] ?? 0);
    return inside ? mode : old;
  });
}
