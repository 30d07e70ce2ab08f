// How times, spans, sizes and rates are written: 24-hour local time, binary sizes, plain words.

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const shortClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const fullDay = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});

export const formatClock = (unixMs: number): string => clock.format(unixMs);
export const formatShortClock = (unixMs: number): string => shortClock.format(unixMs);
export const formatDay = (unixMs: number): string => day.format(unixMs);
export const formatFullDay = (unixMs: number): string => fullDay.format(unixMs);
export const formatMoment = (unixMs: number): string =>
  `${formatDay(unixMs)} ${formatClock(unixMs)}`;
/** The day once where both are on it. */
export const formatPeriod = (fromMs: number, toMs: number): string =>
  `${formatMoment(fromMs)} to ${formatDay(fromMs) === formatDay(toMs) ? formatClock(toMs) : formatMoment(toMs)}`;
export const formatMomentIso = (iso: string): string => formatMoment(Date.parse(iso));

/** `1 d 2 h`, `3 min 20 s`, `12 s`: the two greatest units. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** `12 s ago`, `3 min ago`; `now` below two seconds. */
export function formatAgo(unixMs: number, nowUnixMs: number): string {
  const ms = nowUnixMs - unixMs;
  if (ms < 2000) return 'now';
  const [first] = /^\d+ \S+/.exec(formatSpan(ms)) ?? ['0 s'];
  return `${first} ago`;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

export function formatBitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

export const formatPercent = (unit: number): string => `${Math.round(unit * 100)} %`;

/** `Gate 2026-11-21 10-22-13`: safe as a file name everywhere. */
export function fileStem(name: string, unixMs: number): string {
  const safe = name.replace(/[^\p{L}\p{N} _.-]+/gu, '_').trim() || 'camera';
  const local = unixMs - new Date(unixMs).getTimezoneOffset() * 60_000;
  const stamp = new Date(local).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-');
  return `${safe} ${stamp}`;
}

/** Messages come from processes without capital and full stop; people read sentences. */
export function toSentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
