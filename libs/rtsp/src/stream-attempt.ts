// One attempt at a camera's stream: from the first packet to the camera until the end, whatever it is.

import { withoutCredentials, type Clock, type Log } from '#base';
import { AudioReceiver } from './audio-receiver.js';
import { HandshakeGate } from './handshake-gate.js';
import { SenderClocks } from './sender-clocks.js';
import { Session } from './session.js';
import type { ReadTurns } from './read-turns.js';
import { endOf, streamError } from './stream-error.js';
import type {
  RtspTransport,
  StreamCounters,
  StreamEndReason,
  StreamListener,
} from './stream-face.js';
import { VideoReceiver } from './video-receiver.js';

export const DEFAULT_DEADLINE_MS = 10_000;
export const DEFAULT_STALL_MS = 10_000;

export interface StreamAttemptOptions {
  readonly url: string;
  readonly transport: RtspTransport;
  readonly listener: StreamListener;
  readonly counters: StreamCounters;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlineMs: number;
  readonly stallMs: number;
  /** `skip`: the last attempt ended when the camera was asked for its sound. */
  readonly sound?: 'skip';
  readonly turns?: ReadTurns | undefined;
}

export interface AttemptEnd {
  readonly reason: StreamEndReason;
  readonly message: string;
  /** How long it ran after `onStart`; undefined when that did not come. */
  readonly ranMs?: number;
  readonly frames: number;
  /** Nobody opened: the camera has no power, no network, or has not started yet. */
  readonly away: boolean;
  /** The camera asked to be asked there instead. With credentials: never to be shown. */
  readonly redirectTo?: string;
  /** It ended without a frame behind the question for the sound. */
  readonly soundAsked: boolean;
}

/** Runs until the stream ends or `signal` aborts; never rejects. The listener's `onEnd` is not called. */
export async function runAttempt(
  options: StreamAttemptOptions,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const { clock, counters, log, url } = options;
  const firstFrame = counters.frames;
  let beganAtMs: number | undefined;
  let session: Session | undefined;
  let receiver: VideoReceiver | undefined;
  let sound: AudioReceiver | undefined;
  const clocks = new SenderClocks((offset90k) => sound?.sink?.align(offset90k));
  let end: (error: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => (end = reject));
  // It may come while nothing waits for it yet.
  ended.catch(() => undefined);
  const abort = () => end(streamError('stopped', 'the stream was stopped'));
  signal.addEventListener('abort', abort, { once: true });
  let stall: { cancel(): void } | undefined;
  let leaveGate: (() => void) | undefined;
  try {
    leaveGate = await HandshakeGate.of(clock).enter(signal);
    session = await Session.open({ ...options, onEnd: (error) => end(error) }, signal);
    const audioReceiver = audioReceiverOf(session, options, clocks, () => receiver?.begun === true);
    sound = audioReceiver;
    receiver = new VideoReceiver({
      ...options,
      video: session.video,
      info: () => infoOf(session, options),
      onReport: (unixMs, pts90k) => clocks.video(unixMs, pts90k),
      onBegin: () => {
        beganAtMs = clock.monotonicMs();
        counters.connects += 1;
        log.info(
          {
            url: withoutCredentials(url),
            server: session?.server,
            codec: session?.video.codec,
            audio: session?.audio,
          },
          'connected',
        );
      },
      onBye: () => end(streamError('closed-by-camera', 'the camera ended its stream')),
    });
    await Promise.race([session.play(receiver, sound), ended]);
    leaveGate();
    receiver.playing();
    stall = watchForStall(options, (error) => end(error));
    return await ended;
  } catch (error) {
    leaveGate?.();
    sound?.end();
    endReceiver(receiver, options);
    counters.rubbishBytes += session?.rubbishBytes ?? 0;
    const { reason, message, ours, away } = endOf(error);
    // No camera's fault: the stack must lead to the place.
    if (ours) log.error({ err: error, url: withoutCredentials(url) }, 'a stream broke from within');
    if (reason === 'stopped' || reason === 'stalled') await session?.tearDown();
    const ranMs = beganAtMs === undefined ? undefined : clock.monotonicMs() - beganAtMs;
    return {
      reason,
      message,
      away,
      frames: counters.frames - firstFrame,
      soundAsked: session?.audioAsked === true && counters.frames === firstFrame,
      ...(ranMs === undefined ? {} : { ranMs }),
      ...(session?.redirectTo === undefined ? {} : { redirectTo: session.redirectTo }),
    };
  } finally {
    signal.removeEventListener('abort', abort);
    stall?.cancel();
    session?.close();
  }
}

function infoOf(session: Session | undefined, { sound }: StreamAttemptOptions) {
  const { server, audio, audioRate } = session ?? {};
  const audioFault =
    sound === 'skip' && session?.audioChoice !== undefined
      ? 'the camera ended its stream when it was asked for its sound'
      : session?.audioFault;
  return {
    ...(server === undefined ? {} : { server }),
    ...(audio === undefined ? {} : { audio }),
    ...(audioRate === undefined ? {} : { audioRate }),
    ...(audioFault === undefined ? {} : { audioFault }),
  };
}

/** Undefined when there is no sound, or nobody takes it. */
function audioReceiverOf(
  session: Session,
  { listener, counters, clock, log, sound }: StreamAttemptOptions,
  clocks: SenderClocks,
  hasBegun: () => boolean,
): AudioReceiver | undefined {
  const choice = session.audioChoice;
  if (choice === undefined || listener.onAudio === undefined || sound === 'skip') return undefined;
  return new AudioReceiver({
    choice,
    counters: counters.audio,
    clock,
    log,
    begin: () => (hasBegun() ? listener.onAudio?.(choice.format) : undefined),
    onReport: (unixMs, pts90k) => clocks.audio(unixMs, pts90k),
  });
}

/** A sink that throws must not keep the next attempt from coming. */
function endReceiver(receiver: VideoReceiver | undefined, { log, url }: StreamAttemptOptions) {
  try {
    receiver?.end();
  } catch (error) {
    log.error({ err: error, url: withoutCredentials(url) }, 'the sink of a stream broke');
  }
}

/** Looks at the count of whole frames now and then: packets themselves cost it nothing. */
function watchForStall(
  { clock, counters, stallMs }: StreamAttemptOptions,
  onStall: (error: Error) => void,
) {
  let frames = counters.frames;
  let sinceMs = clock.monotonicMs();
  return clock.every(stallMs / 10, () => {
    if (counters.frames !== frames) {
      frames = counters.frames;
      sinceMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - sinceMs >= stallMs) {
      onStall(streamError('stalled', `the camera sent no whole frame for ${stallMs} ms`));
    }
  });
}
