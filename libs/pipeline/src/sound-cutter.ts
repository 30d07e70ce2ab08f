// Cuts recorded sound to the seconds of a picture, in the picture's decoding time, holes filled with
// silence.

import {
  AudioFrameClock,
  audioSamples,
  FMP4_AUDIO_TRACK_ID,
  FrameTable,
  G711ToFlac,
  isG711,
  silentFrame,
  writeFragmentHead,
  type AudioFormat,
  type G711Form,
} from '#media';
import type { ParsedAudio } from '#store';
import { ticksToUs, usToTicks } from './units.js';

/** Shorter than two frames of anything: below it, frames are laid one behind the other. */
const HOLE_TICKS = 3600;
/** Nothing is filled beyond this: it is no hole but another time. */
const LONGEST_SILENCE_TICKS = 90_000 * 60;

interface Stretch {
  readonly baseDts90k: number;
  readonly frames: FrameTable;
  readonly parts: Buffer[];
}

/** A window of the picture: UTC from `fromUs` to `toUs` is decoding time from `dts90k` on. */
export interface SoundWindow {
  readonly fromUs: number;
  readonly toUs: number;
  readonly dts90k: number;
}

export class SoundCutter {
  readonly #format: AudioFormat;
  readonly #silence: Buffer | undefined;
  readonly #silentTicks: number;
  readonly #flac: G711ToFlac | undefined;
  #next90k: number | undefined;

  /** `g711`: as the initialisation has it. */
  constructor(format: AudioFormat, g711: G711Form = 'as-recorded') {
    this.#format = format;
    this.#flac = g711 === 'flac' && isG711(format) ? new G711ToFlac(format) : undefined;
    this.#silence = silentFrame(format);
    const { length = 0 } = this.#silence ?? {};
    this.#silentTicks =
      this.#silence === undefined
        ? 0
        : Math.round(new AudioFrameClock(format).ticks(this.#silence, 0, length));
  }

  /** The fragments of a window; windows come in order of time. Records of other formats are silent. */
  cut(
    window: SoundWindow,
    records: readonly ParsedAudio[],
    fragment: { readonly nextSequence: () => number; readonly sampleEntry?: number },
  ): Buffer[] {
    const stretches: Stretch[] = [];
    const endDts90k = window.dts90k + usToTicks(window.toUs - window.fromUs);
    // A window that lies before what was given out begins time anew.
    if (window.dts90k - (this.#next90k ?? window.dts90k) < -HOLE_TICKS * 2) {
      this.#next90k = undefined;
    }
    for (const record of records) {
      if (!sameSound(record.format, this.#format)) continue;
      this.#add(stretches, record, window);
    }
    this.#fill(stretches, window.dts90k, endDts90k - HOLE_TICKS);
    return stretches.flatMap(({ baseDts90k, frames, parts }) => [
      writeFragmentHead({
        sequence: fragment.nextSequence(),
        baseDts90k,
        trackId: FMP4_AUDIO_TRACK_ID,
        ...(fragment.sampleEntry === undefined ? {} : { sampleEntry: fragment.sampleEntry }),
        runs: [{ frames }],
      }),
      ...parts,
    ]);
  }

  #add(stretches: Stretch[], record: ParsedAudio, window: SoundWindow): void {
    const { frames, payload } = audioSamples(record.format, record.frames, record.payload);
    let startUs = record.record.startUnixUs;
    let at = 0;
    for (let frame = 0; frame < frames.count; frame++) {
      const bytes = payload.subarray(at, at + frames.sizeOf(frame));
      const ticks = frames.durationOf(frame);
      at += bytes.length;
      for (const piece of this.#piecesOf(bytes, ticks)) {
        const utcUs = startUs + ticksToUs(piece.from90k);
        if (utcUs < window.fromUs || utcUs >= window.toUs) continue;
        const wanted = window.dts90k + usToTicks(utcUs - window.fromUs);
        // What laps over what was there is left out, by the frame.
        if (wanted + HOLE_TICKS < (this.#next90k ?? wanted)) continue;
        this.#fill(stretches, window.dts90k, wanted - HOLE_TICKS);
        this.#lay(stretches, piece.bytes, piece.ticks, wanted);
      }
      startUs += ticksToUs(ticks);
    }
  }

  /** Of FLAC none is longer than silence is, so that long packets end near the ends of slices. */
  #piecesOf(bytes: Buffer, ticks: number) {
    const { length = bytes.length } = (this.#flac && this.#silence) ?? {};
    const count = Math.ceil(bytes.length / length);
    // All about as long, since FLAC knows no block of less than 16 samples.
    const { channels } = this.#format;
    const size = Math.ceil(bytes.length / count / channels) * channels;
    const pieces: { bytes: Buffer; from90k: number; ticks: number }[] = [];
    for (let from = 0; from < bytes.length; from += size) {
      const part = bytes.subarray(from, from + size);
      // Not a sample of each channel.
      if (this.#flac !== undefined && part.length < channels) break;
      const from90k = Math.round((ticks * from) / bytes.length);
      const to90k = Math.round((ticks * (from + part.length)) / bytes.length);
      pieces.push({ bytes: part, from90k, ticks: to90k - from90k });
    }
    return pieces;
  }

  /** Silence up to a moment, from where sound ended or the window begins. */
  #fill(stretches: Stretch[], fromDts90k: number, untilDts90k: number): void {
    const silence = this.#silence;
    let next = this.#next90k ?? fromDts90k;
    if (silence === undefined || untilDts90k - next > LONGEST_SILENCE_TICKS) return;
    while (next + this.#silentTicks <= untilDts90k) {
      this.#lay(stretches, silence, this.#silentTicks, next);
      next += this.#silentTicks;
    }
  }

  #lay(stretches: Stretch[], bytes: Buffer, ticks: number, wanted90k: number): void {
    let open = stretches.at(-1);
    const next = this.#next90k;
    const near = Math.abs(wanted90k - (next ?? -Infinity)) <= HOLE_TICKS * 2;
    const goesOn = next !== undefined && (near || this.#silence !== undefined);
    const at90k = Math.max(0, goesOn ? next : wanted90k);
    if (open === undefined || !goesOn) {
      open = { baseDts90k: at90k, frames: new FrameTable(0), parts: [] };
      stretches.push(open);
    }
    const frame = this.#flac?.frame(bytes, at90k) ?? bytes;
    open.frames.addNal(frame.length);
    open.frames.endFrame(true, ticks, 0);
    open.parts.push(frame);
    this.#next90k = at90k + ticks;
  }
}

export function sameSound(a: AudioFormat, b: AudioFormat): boolean {
  return (
    a.codec === b.codec &&
    a.sampleRate === b.sampleRate &&
    a.channels === b.channels &&
    Buffer.compare(a.config, b.config) === 0
  );
}
