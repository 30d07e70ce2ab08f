// A camera's live picture with what it says when there is none; fills its parent.

import { useEffect, useRef, useState, type RefObject } from 'react';
import type { LiveQuery } from '#contract';
import { Signal } from '../signal.js';
import { useSignal } from '../use-signal.js';
import classes from './LivePicture.module.css';
import { LiveSession } from './live-session.js';
import { liveWords, type LiveView } from './live-words.js';

interface LivePictureProps {
  readonly camera: string;
  readonly track: LiveQuery['track'];
  /** Whether there is a sub stream to show when the browser cannot decode the main one. */
  readonly hasSub?: boolean;
  readonly detail: 'fit' | 'source';
  readonly fit?: 'contain' | 'fill';
  readonly canvasTestId: string;
  /** True leaves the last picture standing and the decoder idle. */
  readonly frozen?: boolean;
  /** Words from the camera's status, which outrank what the socket knows. */
  readonly reason?: string | undefined;
  readonly canvasRef?: RefObject<HTMLCanvasElement | null>;
}

const CONNECTING = new Signal<LiveView>({ kind: 'connecting' });
const ON_CANVAS = new Signal<'canvas' | 'video'>('canvas');

export function LivePicture(props: LivePictureProps) {
  const { camera, detail, canvasRef, hasSub = false, frozen = false } = props;
  const [mainFails, setMainFails] = useState(false);
  const track = mainFails && hasSub ? 'sub' : props.track;
  const ownRef = useRef<HTMLCanvasElement>(null);
  const videoRef = useRef<HTMLVideoElement>(null);
  const [session, setSession] = useState<LiveSession>();

  useEffect(() => {
    const canvas = (canvasRef ?? ownRef).current;
    const video = videoRef.current;
    if (canvas === null || video === null || frozen) return;
    const opened = new LiveSession({ camera, track, detail, canvas, video });
    setSession(opened);
    return () => opened.close();
  }, [camera, track, detail, canvasRef, frozen]);

  const view = useSignal(session?.view ?? CONNECTING);
  const surface = useSignal(session?.surface ?? ON_CANVAS);
  useEffect(() => {
    if (view.kind === 'unsupported' && track === 'main') setMainFails(true);
  }, [view.kind, track]);
  const words = liveWords(view);
  const fit = props.fit ?? 'contain';
  const veiled = view.kind !== 'playing' && view.kind !== 'stalled' && view.kind !== 'lost';
  return (
    <div className={classes.root} data-live={view.kind}>
      <canvas
        ref={canvasRef ?? ownRef}
        className={classes.surface}
        style={{ objectFit: fit }}
        hidden={surface !== 'canvas'}
        width={16}
        height={9}
        data-testid={props.canvasTestId}
        data-frames="0"
      />
      <video
        ref={videoRef}
        className={classes.surface}
        style={{ objectFit: fit }}
        hidden={surface !== 'video'}
        data-testid={`${props.canvasTestId}-video`}
        muted
        autoPlay
        playsInline
      />
      {words !== undefined && !frozen && (
        <div className={classes.words} data-veiled={veiled}>
          <strong>{words.title}</strong>
          {(props.reason ?? words.detail) !== undefined && view.kind !== 'connecting' && (
            <span>
              {view.kind === 'unsupported' ? words.detail : (props.reason ?? words.detail)}
            </span>
          )}
        </div>
      )}
    </div>
  );
}
