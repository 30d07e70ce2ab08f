// Cuts recorded sound to the seconds of a picture, in the picture's decoding time, holes filled with
// silence.

import {
  AudioFrameClock,
  audioSamples,
  FMP4_AUDIO_TRACK_ID,
  FrameTable,
  silentFrame,
  writeFragmentHead,
  type AudioFormat,
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
  #next90k: number | undefined;

  constructor(format: AudioFormat) {
    this.#format = format;
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
      const utcUs = startUs;
      at += bytes.length;
      startUs += ticksToUs(ticks);
      if (utcUs < window.fromUs || utcUs >= window.toUs) continue;
      const wanted = window.dts90k + usToTicks(utcUs - window.fromUs);
      // What laps over what was there is left out, by the frame.
      if (wanted + HOLE_TICKS < (this.#next90k ?? wanted)) continue;
      this.#fill(stretches, window.dts90k, wanted - HOLE_TICKS);
      this.#lay(stretches, bytes, ticks, wanted);
    }
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
    open.frames.addNal(bytes.length);
    open.frames.endFrame(true, ticks, 0);
    open.parts.push(bytes);
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
