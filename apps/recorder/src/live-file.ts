// Live video as an endless fMP4 file, for players and scripts.

import type { Response } from 'express';
import { NightjarError } from '#base';
import { watchLive, type VideoTrack } from '#pipeline';
import { notKnown } from './mapping.js';
import type { Parts } from './parts.js';

const FIRST_PICTURE_MS = 10_000;
const LOOK_MS = 1000;

/** Returns when the reader is gone, the camera's format or address changed, or it was removed. */
export function streamLive(
  { recorder, clock }: Parts,
  source: { camera: string; track: VideoTrack },
  response: Response,
): Promise<void> {
  const { camera, track } = source;
  const hub = recorder.hub(camera, track) ?? recorder.hub(camera, 'main');
  if (hub === undefined) throw notKnown(camera);
  return new Promise((resolve, reject) => {
    let begun = false;
    let leave: (() => void) | undefined;
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      leave?.();
      timer.cancel();
      looking.cancel();
      response.end();
      resolve();
    };
    const timer = clock.after(FIRST_PICTURE_MS, () => {
      if (begun) return;
      over = true;
      looking.cancel();
      leave?.();
      const reason = recorder.report(camera)?.reason ?? 'the camera sends nothing';
      reject(new NightjarError('unavailable', reason, { camera }));
    });
    // A camera that is removed, or has another address, leaves this hub silent for ever.
    const looking = clock.every(LOOK_MS, () => {
      const isThere = [recorder.hub(camera, 'main'), recorder.hub(camera, 'sub')].includes(hub);
      if (begun && !isThere) end();
    });
    response.once('close', end);
    leave = watchLive({
      hub,
      format: 'fmp4',
      viewer: {
        // A file has one initialisation: players begin anew for another format.
        onInit: (_format, init) => {
          if (begun) return end();
          begun = true;
          response.setHeader('content-type', 'video/mp4');
          response.setHeader('cache-control', 'no-store');
          response.write(init);
        },
        onPart: ({ bytes }) => {
          if (!over) response.write(bytes);
        },
        backlogBytes: () => response.writableLength,
        onGivenUp: () => response.destroy(),
      },
    });
    if (over) leave();
  });
}
