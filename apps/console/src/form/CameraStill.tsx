// A camera's picture to draw on: live while it is online, else the last one that was recorded.

import type { ReactNode } from 'react';
import type { Camera, CameraStatus } from '#contract';
import { fillPath } from '../api/paths.js';
import { offlineReason } from '../camera/status-words.js';
import { LivePicture } from '../live/LivePicture.js';
import classes from './Form.module.css';

interface CameraStillProps {
  readonly camera: Camera;
  readonly status: CameraStatus | undefined;
  readonly children: ReactNode;
}

export function CameraStill({ camera, status, children }: CameraStillProps) {
  const ratio =
    status?.width !== undefined && status.height !== undefined && status.height > 0
      ? `${status.width} / ${status.height}`
      : '16 / 9';
  const last = status?.state === 'offline' ? status.lastFrameAt : undefined;
  return (
    <div className={classes.picture} style={{ aspectRatio: ratio }}>
      {last === undefined ? (
        <LivePicture
          camera={camera.id}
          track={camera.streams.sub === undefined ? 'main' : 'sub'}
          detail="fit"
          fit="fill"
          canvasTestId="still-canvas"
          reason={offlineReason(status)}
        />
      ) : (
        <img
          alt="The last recorded picture"
          src={fillPath(
            '/api/cameras/:id/frame.jpg',
            { id: camera.id },
            { at: Date.parse(last), height: 480 },
          )}
        />
      )}
      {children}
    </div>
  );
}
