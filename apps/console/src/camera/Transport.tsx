// The transport row: play, steps, motion to motion, speed, the time shown, quality and pictures.

import { ActionIcon, Button, SegmentedControl, Select, Tooltip } from '@mantine/core';
import {
  IconArrowsMaximize,
  IconCameraDown,
  IconChevronLeft,
  IconChevronRight,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
  IconRewindBackward5,
  IconRewindForward5,
  IconVolume,
  IconVolumeOff,
} from '@tabler/icons-react';
import type { MouseEvent, ReactNode } from 'react';
import { MomentInput } from '../form/MomentInput.js';
import { formatClock, formatDay } from '../format.js';
import { useNow } from '../shell/use-now.js';
import { useSignal } from '../use-signal.js';
import classes from './Camera.module.css';
import { SPEEDS, type Player } from './use-player.js';

interface TransportProps {
  readonly player: Player;
  onGoTo(atMs: number): void;
  onMotion(direction: 'previous' | 'next'): void;
  onSnapshot(): void;
  onFullScreen(): void;
  /** The camera has sound. */
  readonly hasSound: boolean;
}

/** Buttons here never take focus from a click, so that space stays play and pause. */
const keepFocus = (event: MouseEvent) => {
  if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
};

export function Transport(props: TransportProps) {
  const { player, onGoTo, onMotion, onSnapshot, onFullScreen, hasSound } = props;
  const past = player.mode === 'past';
  const playing = !past || player.view.kind === 'playing' || player.view.kind === 'loading';
  return (
    <div className={classes.transport} onMouseDown={keepFocus}>
      <div className={classes.keys}>
        <Key label="Previous motion ([)" run={() => onMotion('previous')}>
          <IconPlayerSkipBack size={17} />
        </Key>
        <Key label="5 seconds back (←)" run={() => player.skip(-5000)}>
          <IconRewindBackward5 size={19} />
        </Key>
        <Key label="One frame back (,)" run={() => player.step(-1)} disabled={!past}>
          <IconChevronLeft size={17} />
        </Key>
        <ActionIcon
          variant="filled"
          color="accent"
          size={32}
          aria-label={playing ? 'Pause (space)' : 'Play (space)'}
          data-testid="play-toggle"
          onClick={() => player.toggle()}
        >
          {playing ? <IconPlayerPauseFilled size={17} /> : <IconPlayerPlayFilled size={17} />}
        </ActionIcon>
        <Key label="One frame forward (.)" run={() => player.step(1)} disabled={!past}>
          <IconChevronRight size={17} />
        </Key>
        <Key label="5 seconds forward (→)" run={() => player.skip(5000)} disabled={!past}>
          <IconRewindForward5 size={19} />
        </Key>
        <Key label="Next motion (])" run={() => onMotion('next')} disabled={!past}>
          <IconPlayerSkipForward size={17} />
        </Key>
      </div>
      <SegmentedControl
        aria-label="Speed"
        disabled={!past}
        data={SPEEDS.map((speed) => ({
          value: String(speed),
          label: speed === 0.5 ? '½×' : `${speed}×`,
        }))}
        value={String(player.speed)}
        onChange={(speed) => player.setSpeed(Number(speed))}
      />
      <TimeShown player={player} />
      <Button
        variant={past ? 'default' : 'light'}
        color={past ? 'gray' : 'red'}
        onClick={() => player.goLive()}
        data-testid="go-live"
        leftSection={<i className={classes.liveDot} data-on={!past} />}
      >
        {past ? 'Go live' : 'Live'}
      </Button>
      <span className={classes.space} />
      <MomentInput
        size="xs"
        width={100}
        valueMs={undefined}
        title="Go to a time; press Enter"
        placeholder="Go to 14:30"
        onMoment={onGoTo}
      />
      <Select
        aria-label="Quality"
        size="xs"
        w={116}
        allowDeselect={false}
        data-testid="rendition"
        data={[
          {
            value: 'auto',
            label: past && player.choice === 'auto' ? `Auto: ${player.rendition}` : 'Auto',
          },
          { value: 'source', label: 'As recorded' },
          { value: '480p', label: '480p' },
        ]}
        value={player.choice}
        onChange={(value) => {
          if (value === 'auto' || value === 'source' || value === '480p') player.choose(value);
        }}
      />
      {hasSound && (
        <Key
          label={player.muted ? 'Turn the sound of recordings on' : 'Turn the sound off'}
          run={() => player.setMuted(!player.muted)}
          disabled={!past}
          testId="sound-toggle"
        >
          {player.muted ? <IconVolumeOff size={19} /> : <IconVolume size={19} />}
        </Key>
      )}
      <Key label="Save the picture (S)" run={onSnapshot}>
        <IconCameraDown size={19} />
      </Key>
      <Key label="Full screen (F)" run={onFullScreen}>
        <IconArrowsMaximize size={17} />
      </Key>
    </div>
  );
}

function Key(props: {
  label: string;
  run: () => void;
  disabled?: boolean;
  testId?: string;
  children: ReactNode;
}) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        size={30}
        aria-label={props.label}
        disabled={props.disabled ?? false}
        data-testid={props.testId}
        onClick={props.run}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

const WORDS = {
  live: 'live',
  loading: 'loading',
  playing: 'playing',
  paused: 'paused',
  ended: 'ended',
  error: 'stopped',
} as const;

function TimeShown({ player }: { player: Player }) {
  const nowMs = useNow(1000);
  const positionMs = useSignal(player.position);
  const state = player.mode === 'live' ? 'live' : player.view.kind;
  const atMs = positionMs ?? nowMs;
  return (
    <div className={classes.time}>
      <time data-testid="player-time" data-at={Math.round(atMs)}>
        {formatClock(atMs)}
        {state === 'paused' && <small>.{String(Math.floor(atMs % 1000)).padStart(3, '0')}</small>}
      </time>
      <span>{formatDay(atMs)}</span>
      <span className={classes.state} data-testid="play-state" data-state={state}>
        {WORDS[state]}
      </span>
    </div>
  );
}
