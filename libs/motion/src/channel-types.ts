// What goes into and comes out of a motion channel, as values.

import type { VideoFormat } from '#media';

/** Corners in 0..1 of the picture's width and height; the edge closes from last to first. */
export type MotionPolygon = readonly (readonly [x: number, y: number])[];

/** The report grid: 16 columns and 9 rows, cell = row * 16 + column, bit i of byte i >> 3. */
export const CELL_COLUMNS = 16;
export const CELL_ROWS = 9;
export const CELL_BYTES = (CELL_COLUMNS * CELL_ROWS) / 8;

/** What one looked-at picture says. */
export interface MotionSample {
  /** The time that was offered with the frame. */
  readonly atUnixUs: number;
  /** 0..1: how much and how surely something moves; 0.5 is where `moving` begins. */
  readonly level: number;
  /** 18 bytes, owned by the receiver: the cells in which something moves. */
  readonly cells: Uint8Array;
  /** With hysteresis: one sure sample, or two in a row. */
  readonly moving: boolean;
}

/**
 * `starting`: no picture was looked at yet (a new channel, a new format, a restarted detector).
 * `ok`: pictures are looked at in time. `behind`: for 3 s no offered picture was looked at, because
 * the detector is too slow or the bytes do not decode. `failed`: the detector process crashed or
 * stalled and is being restarted. In every state but `ok`, absence of motion is not known.
 */
export type MotionState = 'starting' | 'ok' | 'behind' | 'failed';

export interface MotionSettings {
  /** 0..1, 0.5 is ordinary. */
  readonly sensitivity: number;
  /** Where to look; absent or empty means everywhere. */
  readonly zones?: readonly MotionPolygon[] | undefined;
  /** Where not to look; a mask wins over a zone. */
  readonly masks?: readonly MotionPolygon[] | undefined;
}

export interface MotionChannelOptions extends MotionSettings {
  /** In the order of offered frames, later than `offer` returned. */
  onSample(sample: MotionSample): void;
  /** Only when the state changes; a new channel is `starting` without a call. */
  onState(state: MotionState): void;
}

export interface MotionChannelCounters {
  /** Frames offered, copied to the detector, and refused because it was busy. */
  readonly offered: number;
  readonly sent: number;
  /** Of those sent, the ones to be looked at, and those that were. */
  readonly asked: number;
  readonly samples: number;
  readonly refused: number;
  /** Sent frames that did not decode. */
  readonly undecodable: number;
}

export interface MotionChannel {
  readonly state: MotionState;
  readonly counters: MotionChannelCounters;
  /** Must come before the first frame, and again whenever the parameter sets change. */
  setFormat(format: VideoFormat): void;
  setSettings(settings: MotionSettings): void;
  /**
   * Copies the frame if the sampling policy wants it and the detector has room; never blocks.
   * `data` is one access unit as Annex-B, in decoding order, and stays the caller's.
   */
  offer(data: Uint8Array, key: boolean, atUnixUs: number): void;
  /** No callback comes after it. Idempotent. */
  close(): void;
}
