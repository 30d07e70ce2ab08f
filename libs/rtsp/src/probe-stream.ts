// Looks at a camera's stream for a moment and tells what came.

import { NightjarError, silentLog, type Clock } from '#base';
import { nalKind, type FrameSink, type VideoFormat } from '#media';
import { parseRtspUrl } from './rtsp-url.js';
import { DEFAULT_DEADLINE_MS, runAttempt } from './stream-attempt.js';
import { streamError } from './stream-error.js';
import { newCounters, type RtspTransport } from './stream-face.js';

export interface ProbeOptions {
  readonly url: string;
  readonly transport: RtspTransport;
  /** How long to watch, from the first packet. */
  readonly durationMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface StreamProbe {
  readonly format: VideoFormat;
  readonly server?: string;
  readonly audio?: string;
  /** How long frames came, by the camera's clock. */
  readonly durationMs: number;
  readonly frames: number;
  readonly keyFrames: number;
  /** By the camera's clock; 0 when fewer than two frames came. */
  readonly fps: number;
  /** Bits of video per second; 0 when fewer than two frames came. */
  readonly bitrate: number;
  /** The longest distance of two key frames; absent when fewer than two came. */
  readonly groupSeconds?: number;
  readonly lostPackets: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly clockOffsetMs?: number;
}

/** Counts what a sink is given. */
class ProbeSink implements FrameSink {
  frames = 0;
  keyFrames = 0;
  bytes = 0;
  longestGroup90k = 0;
  earliest90k = Infinity;
  latest90k = -Infinity;
  readonly #format: VideoFormat;
  #lastKey90k: number | undefined;
  #unitBytes = 0;
  #unitIsKey = false;

  constructor(format: VideoFormat) {
    this.#format = format;
  }

  beginNal(firstByte: number): void {
    this.#unitBytes += 5;
    if (nalKind(this.#format.codec, firstByte) === 'key-slice') this.#unitIsKey = true;
  }

  appendNal(_source: Uint8Array, start: number, end: number): void {
    this.#unitBytes += end - start;
  }

  endFrame(pts90k: number): void {
    this.frames += 1;
    this.bytes += this.#unitBytes;
    this.earliest90k = Math.min(this.earliest90k, pts90k);
    this.latest90k = Math.max(this.latest90k, pts90k);
    if (this.#unitIsKey) {
      this.keyFrames += 1;
      const group90k = pts90k - (this.#lastKey90k ?? pts90k);
      this.longestGroup90k = Math.max(this.longestGroup90k, group90k);
      this.#lastKey90k = pts90k;
    }
    this.#forget();
  }

  dropFrame(): void {
    this.#forget();
  }

  #forget(): void {
    this.#unitBytes = 0;
    this.#unitIsKey = false;
  }
}

/**
 * One attempt, no retries. Throws `unauthenticated`, `not-found`, `unavailable`, `unsupported`,
 * `timeout`, `invalid-argument` or `cancelled` when no whole frame came, and why.
 */
export async function probeStream(options: ProbeOptions): Promise<StreamProbe> {
  const { clock, durationMs, signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  parseRtspUrl(options.url);
  const counters = newCounters();
  const enough = new AbortController();
  const abort = () => enough.abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) enough.abort();
  let timer: { cancel(): void } | undefined;
  let sink: ProbeSink | undefined;
  let found: { format: VideoFormat; server?: string; audio?: string } | undefined;
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
      readPauseMs: () => 0,
      listener: {
        onStart: (info) => {
          found = info;
          timer = clock.after(durationMs, abort);
          return (sink = new ProbeSink(info.format));
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
    throw streamError('stalled', `the camera sent no whole frame within ${durationMs} ms`);
  }
  return { ...found, ...measured(sink), ...losses(counters), ...offset(clockOffsetMs) };
}

function measured(sink: ProbeSink) {
  const span90k = sink.latest90k - sink.earliest90k;
  // The last frame lasts as long as the others, so that n frames span n durations.
  const seconds = sink.frames < 2 ? 0 : (span90k * sink.frames) / (sink.frames - 1) / 90_000;
  return {
    durationMs: Math.round(seconds * 1000),
    frames: sink.frames,
    keyFrames: sink.keyFrames,
    fps: seconds > 0 ? Math.round((sink.frames / seconds) * 100) / 100 : 0,
    bitrate: seconds > 0 ? Math.round((sink.bytes * 8) / seconds) : 0,
    ...(sink.longestGroup90k > 0 ? { groupSeconds: sink.longestGroup90k / 90_000 } : {}),
  };
}

function losses({ lostPackets, dropped }: ReturnType<typeof newCounters>) {
  return { lostPackets, dropped };
}

function offset(clockOffsetMs: number | undefined) {
  return clockOffsetMs === undefined ? {} : { clockOffsetMs };
}
