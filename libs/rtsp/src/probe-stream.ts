// Looks at a camera's stream for a moment and tells what came.

import { NightjarError, silentLog, type Clock } from '#base';
import type { VideoFormat } from '#media';
import { ProbeSink, type StreamMeasures } from './probe-sink.js';
import { parseRtspUrl } from './rtsp-url.js';
import { DEFAULT_DEADLINE_MS, runAttempt } from './stream-attempt.js';
import { streamError } from './stream-error.js';
import { newCounters, type RtspTransport, type StreamInfo } from './stream-face.js';

export interface ProbeOptions {
  readonly url: string;
  readonly transport: RtspTransport;
  /** How long to watch at most, from the first packet. */
  readonly durationMs: number;
  /** Two whole groups within this are enough; `durationMs` unless told. */
  readonly enoughMs?: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface StreamProbe extends StreamMeasures {
  readonly format: VideoFormat;
  readonly server?: string;
  readonly audio?: string;
  /** Of its RTP clock, which for speech codecs and AAC is the sampling rate. */
  readonly audioRate?: number;
  /** Why that sound is not recorded, as a sentence. */
  readonly audioFault?: string;
  readonly lostPackets: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** The camera's wall clock minus ours, by its last sender report. */
  readonly clockOffsetMs?: number;
}

/** Two whole groups. */
const ENOUGH_KEY_FRAMES = 3;
const LOOK_EVERY_MS = 250;

/**
 * One attempt, no retries. Throws `unauthenticated`, `not-found`, `unavailable`, `unsupported`,
 * `timeout`, `invalid-argument` or `cancelled` when no whole frame came, and why.
 */
export async function probeStream(options: ProbeOptions): Promise<StreamProbe> {
  const { clock, durationMs, signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  const enoughMs = options.enoughMs ?? durationMs;
  parseRtspUrl(options.url);
  const counters = newCounters();
  const enough = new AbortController();
  const abort = () => enough.abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) enough.abort();
  let timer: { cancel(): void } | undefined;
  let sink: ProbeSink | undefined;
  let found: StreamInfo | undefined;
  let clockOffsetMs: number | undefined;
  const end = await runAttempt(
    {
      url: options.url,
      transport: options.transport,
      clock,
      log: silentLog(),
      counters,
      deadlineMs,
      stallMs: deadlineMs,
      listener: {
        onStart: (info) => {
          found = info;
          const beganAtMs = clock.monotonicMs();
          const measuring = (sink = new ProbeSink(info.format.codec));
          timer = clock.every(LOOK_EVERY_MS, () => {
            const ranMs = clock.monotonicMs() - beganAtMs;
            const whole = measuring.keyFrames >= ENOUGH_KEY_FRAMES && ranMs >= enoughMs;
            if (whole || ranMs >= durationMs) abort();
          });
          return measuring;
        },
        onFormat: (format) => {
          if (found !== undefined) found = { ...found, format };
        },
        onEnd: () => undefined,
        onClock: (offsetMs) => {
          clockOffsetMs = offsetMs;
        },
      },
    },
    enough.signal,
  );
  timer?.cancel();
  signal?.removeEventListener('abort', abort);
  if (signal?.aborted === true) throw new NightjarError('cancelled', 'the probe was cancelled');
  if (found === undefined || sink === undefined || sink.frames === 0) {
    if (end.reason !== 'stopped') throw streamError(end.reason, end.message);
    if (found === undefined && counters.packets > 0) {
      throw streamError(
        'unsupported-stream',
        'video comes, but no parameter sets (SPS, PPS) that say how to decode it',
      );
    }
    throw streamError('stalled', `the camera sent no whole frame within ${durationMs} ms`);
  }
  return { ...found, ...sink.measures(), ...losses(counters), ...offset(clockOffsetMs) };
}

function losses({ lostPackets, dropped }: ReturnType<typeof newCounters>) {
  return { lostPackets, dropped };
}

function offset(clockOffsetMs: number | undefined) {
  return clockOffsetMs === undefined ? {} : { clockOffsetMs };
}
