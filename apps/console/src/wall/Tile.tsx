// One camera on the wall: its live picture, number, name, and what it does now.

import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Camera, CameraStatus } from '#contract';
import { LivePicture } from '../live/LivePicture.js';
import { offlineReason, stateWords } from '../camera/status-words.js';
import classes from './Wall.module.css';

interface TileProps {
  readonly camera: Camera;
  readonly number: number;
  readonly status: CameraStatus | undefined;
  readonly track: 'main' | 'sub';
  readonly selected: boolean;
  onSelect(): void;
  onDrop(draggedId: string): void;
}

const DRAG_TYPE = 'application/x-nightjar-camera';

export function Tile({ camera, number, status, track, selected, onSelect, onDrop }: TileProps) {
  const navigate = useNavigate();
  const [over, setOver] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  const words = stateWords(status);
  const open = () => void navigate(`/cameras/${camera.id}`);
  return (
    <div
      ref={ref}
      className={classes.tile}
      data-testid={`tile-${camera.id}`}
      data-selected={selected}
      data-over={over}
      data-state={status?.state ?? 'connecting'}
      role="button"
      tabIndex={0}
      aria-label={`${camera.name}, ${words.text}`}
      draggable
      onClick={onSelect}
      onFocus={onSelect}
      onDoubleClick={open}
      onKeyDown={(event) => {
        if (event.key === 'Enter') open();
      }}
      onDragStart={(event) => event.dataTransfer.setData(DRAG_TYPE, camera.id)}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const dragged = event.dataTransfer.getData(DRAG_TYPE);
        if (dragged !== '' && dragged !== camera.id) onDrop(dragged);
      }}
    >
      <LivePicture
        camera={camera.id}
        track={track}
        hasSub={camera.streams.sub !== undefined}
        detail="fit"
        canvasTestId="tile-canvas"
        reason={offlineReason(status)}
      />
      <div className={classes.caption}>
        <span className={classes.number}>{number}</span>
        <span className={classes.name}>{camera.name}</span>
        {status?.motion.active === true && (
          <span className={classes.motion} title="Something moves">
            motion
          </span>
        )}
        {status?.recording.active === true && (
          <span className={classes.recording} title={`Recording (${status.recording.mode})`}>
            REC
          </span>
        )}
        {words.level !== 'ok' && (
          <span className={classes.stateWord} data-level={words.level} title={words.hint}>
            {words.text}
          </span>
        )}
      </div>
    </div>
  );
}
