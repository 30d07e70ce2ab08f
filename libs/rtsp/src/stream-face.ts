// What a user of a camera's stream sees of it: options, what is told to the listener, counts.

import type { BackoffOptions, Clock, Log } from '#base';
import type { AudioFormat, AudioSink, FrameSink, VideoFormat } from '#media';
import { ArrivalJitter } from './arrival-jitter.js';
import type { ReadTurns } from './read-turns.js';

export type StreamEndReason =
  | 'unreachable'
  | 'refused'
  | 'timeout'
  | 'closed-by-camera'
  | 'authentication'
  | 'protocol'
  | 'unsupported-stream'
  | 'not-found'
  | 'stalled'
  | 'stopped';

/**
 * How packets come: within the RTSP connection, beside it in UDP, or within RTSP within HTTP. `tcp`
 * goes on as `http` by itself where the camera's port turns out to speak HTTP.
 */
export type RtspTransport = 'tcp' | 'udp' | 'http';

export interface StreamInfo {
  readonly format: VideoFormat;
  /** The `Server` header. */
  readonly server?: string;
  /** The encoding of the first audio media in the SDP. */
  readonly audio?: string;
  /** Why that sound does not come, as a sentence; the picture comes all the same. */
  readonly audioFault?: string;
  /** Its RTP clock rate. */
  readonly audioRate?: number;
}

export interface StreamEnd {
  readonly reason: StreamEndReason;
  /** A sentence for people, without credentials. */
  readonly message: string;
  /** Absent when no further attempt follows. */
  readonly retryInMs?: number;
}

/** A camera's stream as somebody uses it. All calls come from one thread, in order. */
export interface StreamListener {
  /**
   * The camera sends and its first parameter sets are known (from the SDP or in band): one call per
   * run, before any frame. The sink belongs to the run.
   */
  onStart(info: StreamInfo): FrameSink;
  /**
   * Sound comes beside the picture: at most one call per run, behind `onStart`. Without this method
   * it is not asked for.
   */
  onAudio?(format: AudioFormat): AudioSink;
  /** Parameter sets changed; comes between frames, before the key frame that uses them. */
  onFormat(format: VideoFormat): void;
  /** The run (or the attempt, if `onStart` did not come) ended. */
  onEnd(end: StreamEnd): void;
  /** A sender report came: the camera's wall clock minus ours, at that moment. */
  onClock?(offsetMs: number): void;
}

export interface StreamOptions {
  /** `rtsp://user:password@host:port/path`; user and password percent-encoded. */
  readonly url: string;
  readonly transport: RtspTransport;
  readonly listener: StreamListener;
  readonly clock: Clock;
  readonly log: Log;
  /** Of every wait for the camera; default 10 s. */
  readonly deadlineMs?: number;
  /** A run ends after so long without a whole frame; default 10 s. */
  readonly stallMs?: number;
  /** Between attempts; default from 1 s to 30 s. */
  readonly backoff?: BackoffOptions;
  /** Shared by all streams of a process; without it the thread never sleeps between reads. */
  readonly turns?: ReadTurns | undefined;
}

/** Counts over all runs of a stream; only ever grow. */
export interface StreamCounters {
  /** RTP packets of the video. */
  packets: number;
  lostPackets: number;
  /** Of RTP packets, headers included. */
  bytes: number;
  /** Whole frames. */
  frames: number;
  /** Frames that were not given to the sink or taken back, by reason. */
  readonly dropped: Record<string, number>;
  /** Packets that could not be read. */
  malformedPackets: number;
  /** How often the camera's clock jumped and was anchored anew. */
  clockJumps: number;
  /** Bytes that were neither media nor message. */
  rubbishBytes: number;
  readonly jitter: ArrivalJitter;
  /** Runs begun. */
  connects: number;
  /** Ended runs and attempts, by reason. */
  readonly disconnects: Record<string, number>;
  readonly audio: AudioCounters;
}

/** Of the sound, over all runs. */
export interface AudioCounters {
  packets: number;
  lostPackets: number;
  /** Of RTP packets, headers included. */
  bytes: number;
  frames: number;
  malformedPackets: number;
  clockJumps: number;
  readonly jitter: ArrivalJitter;
  /** Frames that were not given to the sink, by reason. */
  readonly dropped: Record<string, number>;
}

export function newCounters(): StreamCounters {
  return {
    packets: 0,
    lostPackets: 0,
    bytes: 0,
    frames: 0,
    dropped: {},
    malformedPackets: 0,
    clockJumps: 0,
    rubbishBytes: 0,
    jitter: new ArrivalJitter(),
    connects: 0,
    disconnects: {},
    audio: {
      packets: 0,
      lostPackets: 0,
      bytes: 0,
      frames: 0,
      malformedPackets: 0,
      clockJumps: 0,
      jitter: new ArrivalJitter(),
      dropped: {},
    },
  };
}

export function countIn(record: Record<string, number>, reason: string): void {
  record[reason] = (record[reason] ?? 0) + 1;
}
