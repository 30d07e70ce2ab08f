// The numbers of a camera's tracks in words: what is fine is short, what is not is a sentence.

import type { TrackStatus } from '#contract';
import { formatBitrate, formatBytes, formatSpan } from '../format.js';

export interface Finding {
  readonly level: 'warn' | 'bad';
  readonly text: string;
}

export interface TrackRow {
  readonly name: string;
  readonly title: string;
  /** One cell per track; undefined where a track has no such number. */
  readonly cells: readonly (Cell | undefined)[];
}

interface Cell {
  readonly text: string;
  readonly level?: Finding['level'] | undefined;
}

/** From here on a loss shows in the picture. */
const LOSS = { warn: 0.001, bad: 0.02 };
const JITTER_MS = 50;
const LONG_GROUP_SECONDS = 5;
const CLOCK_MS = 2000;
const DRIFT_PPM = 100;

export const trackName = ({ track }: TrackStatus): string =>
  ({ main: 'Main', sub: 'Sub', audio: 'Sound' })[track];

/** What of a track's numbers somebody should look at, the worst first; empty when all is well. */
export function findingsOf(track: TrackStatus): Finding[] {
  const findings: Finding[] = [];
  const loss = lossOf(track);
  const level = lossLevel(loss);
  const { recent } = track;
  if (level !== undefined && recent !== undefined) {
    const beside = recent.droppedFrames > 0 ? `, and ${framesOf(recent)} with them` : '';
    const text = `${formatShare(loss ?? 0)} of packets lost ${lately(recent)}${beside}.`;
    findings.push({ level, text });
  } else if (recent !== undefined && recent.droppedFrames > 0) {
    const text = `${framesOf(recent)} dropped ${lately(recent)}${whyOf(track)}.`;
    findings.push({ level: 'warn', text });
  }
  if (isUneven(track)) {
    const jitter = formatMs(track.jitterMs ?? 0);
    findings.push({ level: 'warn', text: `It arrives unevenly: ${jitter} of jitter.` });
  }
  if (hasLongGroups(track)) {
    const seconds = formatSeconds(track.groupSecondsMax ?? 0);
    findings.push({
      level: 'warn',
      text: `Key frames are up to ${seconds} apart: live pictures and seeking begin late.`,
    });
  }
  const offsetMs = track.clockOffsetMs ?? 0;
  if (Math.abs(offsetMs) > CLOCK_MS) {
    const side = offsetMs > 0 ? 'ahead' : 'behind';
    const text = `The camera’s clock is ${formatSpan(Math.abs(offsetMs))} ${side}: let it set its time by NTP.`;
    findings.push({ level: 'warn', text });
  }
  const drift = track.clockDriftPpm ?? 0;
  if (Math.abs(drift) > DRIFT_PPM) {
    const seconds = Math.round((Math.abs(drift) * 86_400) / 1e6);
    const text = `Its media clock runs ${drift > 0 ? 'fast' : 'slow'}, ${seconds} s a day.`;
    findings.push({ level: 'warn', text });
  }
  return findings.sort((a, b) => Number(b.level === 'bad') - Number(a.level === 'bad'));
}

/** What a track does now; rows that no track has anything for are left out. */
export function rowsNow(tracks: readonly TrackStatus[]): TrackRow[] {
  return rowsOf(tracks, [
    ['Bitrate', 'Over the last seconds', ({ bitrate }) => cell(bitrate, formatBitrate)],
    ['Frames/s', 'Over the last seconds', ({ fps }) => cell(fps, (value) => value.toFixed(1))],
    ['Key frames', 'How far apart, over the last one to two minutes', groupCell],
    [
      'Lost',
      'Packets, over the last minute',
      (track) => cell(lossOf(track), formatShare, lossLevel(lossOf(track))),
    ],
    [
      'Dropped',
      'Frames, over the last minute',
      ({ recent }) =>
        cell(recent?.droppedFrames, String, (recent?.droppedFrames ?? 0) > 0 ? 'warn' : undefined),
    ],
    [
      'Jitter',
      'How unevenly it arrives (RFC 3550). Below the second number it is our reading, not the network',
      jitterCell,
    ],
    [
      'Clock',
      'The camera’s wall clock against the recorder’s',
      ({ clockOffsetMs: ms }) =>
        cell(ms, signedMs, Math.abs(ms ?? 0) > CLOCK_MS ? 'warn' : undefined),
    ],
    [
      'Drift',
      'How much faster its media clock goes, in millionths',
      ({ clockDriftPpm: ppm }) =>
        cell(
          ppm,
          (value) => `${signed(Math.round(value))} ppm`,
          Math.abs(ppm ?? 0) > DRIFT_PPM ? 'warn' : undefined,
        ),
    ],
  ]);
}

/** Since the recorder started. */
export function rowsInAll(tracks: readonly TrackStatus[]): TrackRow[] {
  return rowsOf(tracks, [
    ['Received', 'Packets, headers included', ({ bytes }) => cell(bytes, formatBytes)],
    ['Frames', 'Whole frames', ({ frames }) => cell(frames, formatCount)],
    ['Packets', 'Received', ({ packets }) => cell(packets, formatCount)],
    ['Lost', 'Packets', ({ lostPackets }) => cell(lostPackets, formatCount)],
    ['Unreadable', 'Packets', ({ malformedPackets }) => cell(malformedPackets, formatCount)],
    ['Dropped', 'Frames', ({ dropped }) => cell(totalOf(dropped), formatCount)],
    ['Clock jumps', 'The camera set its clock', ({ clockJumps }) => cell(clockJumps, formatCount)],
    [
      'Reconnects',
      'Connections that ended',
      ({ track, disconnects }) =>
        track === 'audio' ? undefined : cell(totalOf(disconnects), formatCount),
    ],
  ]);
}

/** `Main dropped: 12 packet lost`: the reasons behind the sums. */
export function reasonsOf(track: TrackStatus): string[] {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${formatCount(count)} ${reason.replaceAll('-', ' ')}`)
      .join(', ');
  const [dropped, ended] = [list(track.dropped), list(track.disconnects)];
  return [
    ...(dropped === '' ? [] : [`${trackName(track)}, frames dropped: ${dropped}`]),
    ...(ended === '' ? [] : [`${trackName(track)}, connections ended: ${ended}`]),
  ];
}

type RowOf = readonly [string, string, (track: TrackStatus) => Cell | undefined];

function rowsOf(tracks: readonly TrackStatus[], rows: readonly RowOf[]): TrackRow[] {
  return rows
    .map(([name, title, read]) => ({ name, title, cells: tracks.map(read) }))
    .filter(({ cells }) => cells.some((one) => one !== undefined));
}

function cell(
  value: number | undefined,
  write: (value: number) => string,
  level?: Finding['level'],
): Cell | undefined {
  return value === undefined ? undefined : { text: write(value), level };
}

function groupCell(track: TrackStatus): Cell | undefined {
  const { groupSeconds, groupSecondsMin = 0, groupSecondsMax = 0 } = track;
  const level = hasLongGroups(track) ? 'warn' : undefined;
  const isEven = groupSecondsMax - groupSecondsMin < 0.1;
  return cell(
    groupSeconds,
    (last) =>
      isEven
        ? formatSeconds(last)
        : `${groupSecondsMin.toFixed(1)}–${formatSeconds(groupSecondsMax)}`,
    level,
  );
}

/** Where frames are lost, key frames are too: that is told already. */
function hasLongGroups({ groupSecondsMax = 0, recent }: TrackStatus): boolean {
  return groupSecondsMax > LONG_GROUP_SECONDS && (recent?.droppedFrames ?? 0) === 0;
}

function jitterCell(track: TrackStatus): Cell | undefined {
  const { jitterMs, jitterFloorMs = 0 } = track;
  const level = isUneven(track) ? 'warn' : undefined;
  return cell(
    jitterMs,
    (ms) => (ms <= jitterFloorMs ? `< ${formatMs(Math.ceil(jitterFloorMs))}` : formatMs(ms)),
    level,
  );
}

function isUneven({ jitterMs = 0, jitterFloorMs = 0 }: TrackStatus): boolean {
  return jitterMs > JITTER_MS + jitterFloorMs;
}

function lossOf({ recent }: TrackStatus): number | undefined {
  if (recent === undefined) return undefined;
  const sent = recent.packets + recent.lostPackets;
  return sent === 0 ? undefined : recent.lostPackets / sent;
}

function lossLevel(loss: number | undefined): Finding['level'] | undefined {
  if (loss === undefined || loss < LOSS.warn) return undefined;
  return loss < LOSS.bad ? 'warn' : 'bad';
}

/** The reasons that are known, without those of a run's beginning. */
function whyOf({ dropped }: TrackStatus): string {
  const reasons = Object.keys(dropped).filter((reason) => !reason.startsWith('before-'));
  return reasons.length === 1 ? ` (${reasons[0]?.replaceAll('-', ' ') ?? ''})` : '';
}

const framesOf = ({ droppedFrames }: { droppedFrames: number }): string =>
  `${formatCount(droppedFrames)} ${droppedFrames === 1 ? 'frame' : 'frames'}`;

const lately = ({ seconds }: { seconds: number }): string =>
  seconds >= 55 ? 'in the last minute' : `in the last ${seconds} s`;

const totalOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

const formatShare = (share: number): string =>
  share === 0 ? '0 %' : share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`;
const formatSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;
const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
const formatCount = (count: number): string => count.toLocaleString('en-GB');
const signed = (value: number): string =>
  value > 0 ? `+${value}` : value < 0 ? `−${-value}` : '0';

function signedMs(ms: number): string {
  if (Math.abs(ms) < 1000) return `${signed(Math.round(ms))} ms`;
  return `${ms > 0 ? '+' : '−'}${formatSpan(Math.abs(ms))}`;
}
