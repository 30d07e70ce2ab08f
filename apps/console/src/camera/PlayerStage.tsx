// Where the picture is: live below, the past above it as soon as it has a picture.

import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Camera, CameraStatus } from '#contract';
import { LivePicture } from '../live/LivePicture.js';
import classes from './Camera.module.css';
import { offlineReason } from './status-words.js';
import type { Player } from './use-player.js';

interface PlayerStageProps {
  readonly camera: Camera;
  readonly status: CameraStatus | undefined;
  readonly player: Player;
}

export function PlayerStage({ camera, status, player }: PlayerStageProps) {
  const { mode, view } = player;
  const [pictured, setPictured] = useState(false);
  useEffect(() => {
    if (mode === 'live') setPictured(false);
    else if (view.kind !== 'loading') setPictured(true);
  }, [mode, view.kind]);
  const past = mode === 'past' && pictured;
  return (
    <div className={classes.stage}>
      {!past && (
        <LivePicture
          camera={camera.id}
          track={player.choice === '480p' && camera.streams.sub !== undefined ? 'sub' : 'main'}
          hasSub={camera.streams.sub !== undefined}
          detail="source"
          frozen={mode === 'past'}
          canvasTestId="player-live-canvas"
          canvasRef={player.liveRef}
          reason={offlineReason(status)}
        />
      )}
      <div className={classes.past} data-shown={past}>
        <video
          ref={player.videoRef}
          data-testid="player-video"
          muted={player.muted}
          playsInline
          preload="auto"
        />
        <canvas ref={player.stillRef} hidden />
      </div>
      {mode === 'past' && view.kind === 'loading' && <div className={classes.loading}>Loading</div>}
      {mode === 'past' && (view.kind === 'error' || view.kind === 'ended') && (
        <div className={classes.message} data-kind={view.kind} role="alert">
          <p>{view.text}</p>
          <div>
            {view.kind === 'error' && (
              <Button variant="default" onClick={() => player.toggle()}>
                Try again
              </Button>
            )}
            <Button variant="light" onClick={() => player.goLive()}>
              Go live
            </Button>
          </div>
        </div>
      )}
      {player.note !== undefined && mode === 'past' && (
        <div className={classes.note} role="status">
          {player.note}
        </div>
      )}
    </div>
  );
}
