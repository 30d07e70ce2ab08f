// What a camera does now, in numbers, and its latest motion.

import { UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Camera, CameraStatus } from '#contract';
import { calls } from '../api/calls.js';
import {
  formatAgo,
  formatClock,
  formatDay,
  formatPercent,
  formatSpan,
  toSentence,
} from '../format.js';
import { Fault, Unavailable } from '../shell/Fault.js';
import { useNow } from '../shell/use-now.js';
import classes from './Camera.module.css';
import { recordingWords, stateWords } from './status-words.js';

export function Facts({ camera, status }: { camera: Camera; status: CameraStatus | undefined }) {
  const nowMs = useNow(1000);
  const words = stateWords(status);
  const rows: [string, string | undefined][] = [
    ['State', status === undefined ? words.hint : words.text],
    ['Recording', recordingWords(status)],
    [
      'Since',
      status?.recording.since === undefined
        ? undefined
        : formatClock(Date.parse(status.recording.since)),
    ],
    [
      'Last picture',
      status?.lastFrameAt === undefined
        ? undefined
        : formatAgo(Date.parse(status.lastFrameAt), nowMs),
    ],
    ['Motion', status === undefined ? undefined : motionWords(status.motion)],
    ['Camera’s own events', eventWords(status?.motion.events)],
    ['Kept for', `${camera.retention.days} d`],
  ];
  return (
    <section className={classes.panelSection}>
      <h2>Now</h2>
      {status?.reason !== undefined && (
        <p className={classes.reason} data-level={words.level}>
          {toSentence(status.reason)}
        </p>
      )}
      <dl className={classes.facts}>
        {rows
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function motionWords(motion: CameraStatus['motion']): string {
  switch (motion.detector) {
    case 'ok':
      return motion.source === 'onvif'
        ? motion.active
          ? 'moving, says the camera'
          : 'still, says the camera'
        : `${motion.active ? 'moving' : 'still'}, ${formatPercent(motion.level)}`;
    case 'starting':
      return 'detector starting';
    case 'behind':
      return 'detector too slow: records always';
    case 'failed':
      return 'detector failed: records always';
    case 'off':
      return 'detector off';
  }
}

function eventWords(events: CameraStatus['motion']['events']): string | undefined {
  if (events === undefined) return undefined;
  const state = { ok: 'heard', starting: 'being asked for', failed: 'away' }[events.state];
  if (events.endlessAlarms === 0) return state;
  return `${state}; ${events.endlessAlarms} alarms without an end were closed`;
}

const DAY_MS = 86_400_000;

export function RecentMotion({
  camera,
  onSeek,
}: {
  camera: string;
  onSeek: (atMs: number) => void;
}) {
  const motion = useQuery({
    queryKey: ['recent-motion', camera],
    queryFn: ({ signal }) => {
      const toMs = Date.now();
      return calls.motion({
        cameras: [camera],
        fromMs: toMs - 7 * DAY_MS,
        toMs,
        limit: 60,
        signal,
      });
    },
    refetchInterval: 5000,
  });
  const items = motion.data?.items ?? [];
  return (
    <section className={classes.panelSection} data-grow>
      <h2>Latest motion</h2>
      <Unavailable recorders={motion.data?.unavailable} />
      <Fault error={motion.error} title="No motion list" />
      {motion.isSuccess && items.length === 0 && (
        <p className={classes.quiet}>Nothing has moved in the last seven days.</p>
      )}
      <div className={classes.motionList}>
        {items.map((item) => {
          const fromMs = Date.parse(item.from);
          return (
            <UnstyledButton
              key={item.id}
              className={classes.motionRow}
              onClick={() => onSeek(fromMs - 1000)}
              onMouseDown={(event) => event.preventDefault()}
            >
              <time title={formatDay(fromMs)}>{formatClock(fromMs)}</time>
              <span>{formatSpan(Date.parse(item.to) - fromMs)}</span>
              <i>
                <b style={{ width: `${Math.max(4, Math.sqrt(item.peak) * 100)}%` }} />
              </i>
            </UnstyledButton>
          );
        })}
      </div>
    </section>
  );
}
