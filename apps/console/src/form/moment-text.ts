// Times as people type them: `2026-11-21 14:30`, `14:30` (the last such time), `yesterday 14:30`.

const TWO = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-21 14:30:05`, local time. */
export function writeMoment(unixMs: number): string {
  const at = new Date(unixMs);
  const day = `${at.getFullYear()}-${TWO(at.getMonth() + 1)}-${TWO(at.getDate())}`;
  return `${day} ${TWO(at.getHours())}:${TWO(at.getMinutes())}:${TWO(at.getSeconds())}`;
}

const CLOCK = '(\\d{1,2}):(\\d{2})(?::(\\d{2}))?';
const DATED = new RegExp(`^(\\d{4})-(\\d{1,2})-(\\d{1,2})(?:[ T]+${CLOCK})?$`);
const CLOCK_ONLY = new RegExp(`^(yesterday +)?${CLOCK}$`, 'i');

/** Unix ms, or undefined for what is not a time. */
export function readMoment(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim();
  const dated = DATED.exec(trimmed);
  if (dated !== null) {
    const [, year, month, day, hour = '0', minute = '0', second = '0'] = dated;
    return checked([Number(year), Number(month) - 1, Number(day)], [hour, minute, second]);
  }
  const clock = CLOCK_ONLY.exec(trimmed);
  if (clock === null) return undefined;
  const [, yesterday, hour = '0', minute = '0', second = '0'] = clock;
  const now = new Date(nowMs);
  const today = [now.getFullYear(), now.getMonth(), now.getDate()] as const;
  const before = [today[0], today[1], today[2] - 1] as const;
  const time = [hour, minute, second] as const;
  if (yesterday !== undefined) return checked(before, time);
  const atMs = checked(today, time);
  // `23:50` typed after midnight means the evening that has just gone.
  return atMs !== undefined && atMs > nowMs ? checked(before, time) : atMs;
}

function checked(
  [year, month, day]: readonly [number, number, number],
  time: readonly [string, string, string],
): number | undefined {
  const [hour, minute, second] = [Number(time[0]), Number(time[1]), Number(time[2])];
  if (month < 0 || month > 11 || day > 31 || hour > 23 || minute > 59 || second > 59)
    return undefined;
  return new Date(year, month, day, hour, minute, second).getTime();
}
