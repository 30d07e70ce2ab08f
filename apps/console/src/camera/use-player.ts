// The player of the camera page: live or past, one time for both, and every command on it.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { VideoCodec } from '#contract';
import { PastSession, type PastView } from '../past/past-session.js';
import type { RenditionChoice } from '../past/rendition.js';
import { Signal } from '../signal.js';
import { findRecorded } from '../timeline/use-camera-timeline.js';
import { useSignal } from '../use-signal.js';

/** Closer to now than this is live. */
const LIVE_EDGE_MS = 1500;
/** When the past ends this close to now, live follows by itself. */
const CATCH_UP_MS = 20_000;

const NO_VIEW = new Signal<PastView>({ kind: 'loading' });
const NO_NOTE = new Signal<string | undefined>(undefined);
const SPEED_ONE = new Signal(1);
const SOURCE = new Signal<string>('source');

export const SPEEDS = [0.5, 1, 2, 4, 8] as const;

interface PlayerOptions {
  readonly camera: string;
  readonly codec: VideoCodec | undefined;
  /** Undefined while live; the player writes it. */
  readonly position: Signal<number | undefined>;
  /** False only when it is known that nothing was recorded then. */
  mayBeRecorded(atMs: number): boolean;
}

export function usePlayer({ camera, codec, position, mayBeRecorded }: PlayerOptions) {
  const videoRef = useRef<HTMLVideoElement>(null);
  const stillRef = useRef<HTMLCanvasElement>(null);
  const liveRef = useRef<HTMLCanvasElement>(null);
  const [session, setSession] = useState<PastSession>();
  const sessionRef = useRef<PastSession>(undefined);
  const [choice, setChoice] = useState<RenditionChoice>('auto');
  const [muted, setMuted] = useState(true);
  const settings = useRef({ codec, choice, mayBeRecorded });

  useEffect(() => {
    settings.current = { codec, choice, mayBeRecorded };
  });

  const goLive = useCallback(() => {
    sessionRef.current?.close();
    sessionRef.current = undefined;
    setSession(undefined);
    position.set(undefined);
  }, [position]);

  const seek = useCallback(
    (atMs: number, wanted: 'play' | 'pause' | 'as-is' = 'as-is') => {
      const video = videoRef.current;
      const still = stillRef.current;
      if (video === null || still === null) return;
      if (atMs > Date.now() - LIVE_EDGE_MS) {
        goLive();
        return;
      }
      let current = sessionRef.current;
      if (current === undefined) {
        const opened = new PastSession({
          video,
          still,
          camera,
          codec: settings.current.codec,
          choice: settings.current.choice,
          mayBeRecorded: (ms) => settings.current.mayBeRecorded(ms),
          findRecorded: (fromMs) => findRecorded(camera, fromMs),
          onPresent: () => {
            if (Date.now() - opened.atMs.get() < CATCH_UP_MS) goLive();
          },
        });
        opened.atMs.subscribe(() => position.set(opened.atMs.get()));
        current = opened;
        sessionRef.current = opened;
        setSession(opened);
      }
      current.seek(atMs, wanted);
    },
    [camera, goLive, position],
  );

  useEffect(
    () => () => {
      sessionRef.current?.close();
      sessionRef.current = undefined;
      setSession(undefined);
      position.set(undefined);
    },
    [camera, position],
  );

  const view = useSignal(session?.view ?? NO_VIEW);
  const note = useSignal(session?.notice.text ?? NO_NOTE);
  const speed = useSignal(session?.speed ?? SPEED_ONE);
  const rendition = useSignal<string>(session?.rendition ?? SOURCE);

  const nowMs = () => position.get() ?? Date.now();
  const faster = () => {
    if (session === undefined) return;
    const at = SPEEDS.findIndex((step) => step === session.speed.get());
    if (view.kind === 'playing') session.setSpeed(SPEEDS[Math.min(at + 1, SPEEDS.length - 1)] ?? 1);
    else session.setSpeed(1);
    session.play();
  };
  return {
    videoRef,
    stillRef,
    liveRef,
    position,
    mode: session === undefined ? ('live' as const) : ('past' as const),
    view,
    note,
    speed,
    rendition,
    choice,
    /** Recordings are silent until somebody wants to hear them. */
    muted,
    setMuted,
    /** The instant shown: the player's, or now. */
    nowMs,
    seek,
    goLive,
    skip: (byMs: number) => seek(nowMs() + byMs),
    toggle: () =>
      session === undefined ? seek(Date.now() - 2 * LIVE_EDGE_MS, 'pause') : session.toggle(),
    step: (direction: 1 | -1) => session?.step(direction),
    shuttleBack: () => session?.shuttleBack(),
    faster,
    setSpeed: (next: number) => session?.setSpeed(next),
    choose: (next: RenditionChoice) => {
      setChoice(next);
      settings.current.choice = next;
      session?.choose(next);
    },
  };
}

export type Player = ReturnType<typeof usePlayer>;
