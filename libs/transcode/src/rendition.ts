// One pass over a source: decode, scale and encode at once, and give fragments as they become whole.

import { NightjarError } from '#base';
import type { Frame, HardwareDeviceContext } from 'node-av/lib';
import type { EncodePath } from './encode-path.js';
import {
  readSamples,
  type SourceFormat,
  type SourceSample,
  type SourceTrack,
} from './fmp4-reader.js';
import { H264Encoder } from './h264-encoder.js';
import { PicturePipe } from './picture-pipe.js';
import { PictureScaler, usualColorSpace } from './picture-scaler.js';
import type { PictureSize } from './picture-size.js';
import { RenditionWriter } from './rendition-writer.js';
import { VideoDecoder, type DecodeDevice, type LoopFilter } from './video-decoder.js';

/** Pictures that wait between decoding and encoding. */
const PIPE_PICTURES = 4;
/** A source with a key frame more often than this gets fewer of them. */
const LEAST_KEY_DISTANCE_90K = 90_000;

export interface RenditionSource {
  readonly track: SourceTrack;
  /** The fragments from the first on; called again when a pass has to be repeated. */
  fragments(): AsyncIterable<Uint8Array>;
}

export interface RenditionPass {
  readonly path: EncodePath;
  readonly device?: HardwareDeviceContext | undefined;
  readonly decodeDevice?: DecodeDevice | undefined;
  readonly sampleEntry: number;
  readonly size: PictureSize;
  readonly threads: number;
  readonly loopFilter: LoopFilter;
  readonly signal: AbortSignal;
  readonly onPart: (part: Buffer) => void;
  /** What an earlier pass has delivered: encoding begins behind it. */
  readonly delivered?: { readonly dts90k: number; readonly sequence: number } | undefined;
}

export interface RenditionReport {
  readonly pictures: number;
  /** Samples that could not be decoded. */
  readonly damaged: number;
}

/** What a pass had delivered when it failed, for the pass that takes over. */
export class RenditionPassError extends Error {
  readonly delivered: { readonly dts90k: number; readonly sequence: number } | undefined;

  constructor(cause: unknown, delivered: RenditionPassError['delivered']) {
    super('a rendition pass failed', { cause });
    this.delivered = delivered;
  }
}

interface Picture {
  readonly frame: Frame;
  readonly key: boolean;
}

/** Throws RenditionPassError with the true error as its cause; all native memory is freed by then. */
export async function runRendition(
  source: RenditionSource,
  pass: RenditionPass,
): Promise<RenditionReport> {
  const run = new RenditionRun(source, pass);
  try {
    return await run.run();
  } catch (error) {
    throw new RenditionPassError(error, run.delivered);
  } finally {
    run.close();
  }
}

class RenditionRun {
  readonly #source: RenditionSource;
  readonly #pass: RenditionPass;
  readonly #pipe = new PicturePipe<Picture>(PIPE_PICTURES, ({ frame }) => frame.free());
  readonly #keyTimes = new Set<number>();
  readonly #unseen = new Set<number>();
  #encoder: H264Encoder | undefined;
  #scaler: PictureScaler | undefined;
  #decoder: VideoDecoder | undefined;
  #decoderFormat: SourceFormat | undefined;
  #writer: RenditionWriter | undefined;
  #damaged = 0;
  #lastPts = Number.NEGATIVE_INFINITY;
  #lastKeyPts = Number.NEGATIVE_INFINITY;
  #firstSample: SourceSample | undefined;
  #endDts = 0;
  #failed = false;
  #shown = false;

  constructor(source: RenditionSource, pass: RenditionPass) {
    this.#source = source;
    this.#pass = pass;
  }

  get delivered(): RenditionPassError['delivered'] {
    const writer = this.#writer;
    return writer === undefined || writer.sequence === (this.#pass.delivered?.sequence ?? 1)
      ? this.#pass.delivered
      : { dts90k: writer.deliveredDts90k, sequence: writer.sequence };
  }

  async run(): Promise<RenditionReport> {
    const { path, device, size, threads } = this.#pass;
    const format = this.#source.track.formats[0]!;
    const colorSpace = usualColorSpace(format.height);
    this.#encoder = await H264Encoder.open({ path, device, size, colorSpace, threads });
    this.#scaler = new PictureScaler(this.#encoder.target);
    // Both sides must have come to rest before anything native is freed, so neither rejection is
    // acted on before the other side has ended.
    const sides = await Promise.allSettled([
      this.#decodeAll().then(
        () => this.#pipe.end(),
        (error: unknown) => {
          this.#failed = true;
          this.#pipe.destroy();
          throw error;
        },
      ),
      this.#encodeAll().finally(() => this.#pipe.destroy()),
    ]);
    for (const side of sides) if (side.status === 'rejected') throw side.reason;
    const pictures = this.#writer?.pictures ?? 0;
    if (pictures === 0 && this.#pass.delivered === undefined) {
      throw new NightjarError('data-loss', 'no picture of the source could be decoded', {
        damaged: this.#damaged,
      });
    }
    return { pictures, damaged: this.#damaged };
  }

  close(): void {
    this.#pipe.destroy();
    this.#decoder?.close();
    this.#encoder?.close();
    this.#scaler?.close();
  }

  async #decodeAll(): Promise<void> {
    const { track } = this.#source;
    for await (const fragment of this.#source.fragments()) {
      for (const sample of readSamples(fragment, track)) {
        this.#pass.signal.throwIfAborted();
        this.#firstSample ??= sample;
        this.#endDts = sample.dts + sample.duration;
        if (sample.key) this.#keyTimes.add(sample.pts);
        // What a cutter keeps in front of its first picture, to decode that, lasts one tick each.
        this.#shown ||= sample.duration > 1;
        if (!this.#shown) this.#unseen.add(sample.pts);
        const decoder = await this.#decoderFor(track.formats[sample.format]!);
        await decoder.decode(sample, (picture) => this.#onPicture(picture));
        if (this.#pipe.ended) return;
      }
    }
    await this.#endDecoder();
  }

  /** A new format means a new decoder; pictures are brought to the first format's size. */
  async #decoderFor(format: SourceFormat): Promise<VideoDecoder> {
    if (this.#decoder !== undefined && this.#decoderFormat === format) return this.#decoder;
    await this.#endDecoder();
    this.#decoder = await VideoDecoder.open(format, {
      threads: this.#pass.threads,
      loopFilter: this.#pass.loopFilter,
      timescale: this.#source.track.timescale,
      device: this.#pass.decodeDevice,
    });
    this.#decoderFormat = format;
    return this.#decoder;
  }

  async #endDecoder(): Promise<void> {
    const decoder = this.#decoder;
    if (decoder === undefined) return;
    await decoder.flush((picture) => this.#onPicture(picture));
    this.#damaged += decoder.damaged;
    this.#decoder = undefined;
    decoder.close();
  }

  async #onPicture(picture: Frame): Promise<void> {
    const pts = Number(picture.bestEffortTimestamp);
    if (pts <= this.#lastPts || this.#pipe.ended) return;
    this.#lastPts = pts;
    if (this.#unseen.delete(pts)) return;
    const scaled = await this.#scaler!.scale(picture);
    const key = this.#keyTimes.delete(pts);
    scaled.pts = BigInt(this.#ticks(pts));
    await this.#pipe.push({ frame: scaled, key });
  }

  async #encodeAll(): Promise<void> {
    const { signal, delivered } = this.#pass;
    const encoder = this.#encoder!;
    for (;;) {
      const picture = await this.#pipe.take();
      if (picture === undefined) break;
      const { frame } = picture;
      try {
        signal.throwIfAborted();
        const writer = (this.#writer ??= this.#openWriter());
        const pts90k = Number(frame.pts);
        if (delivered !== undefined && pts90k - this.#ctsOffset90k() < delivered.dts90k) continue;
        const key =
          this.#lastKeyPts === Number.NEGATIVE_INFINITY ||
          (picture.key && pts90k - this.#lastKeyPts >= LEAST_KEY_DISTANCE_90K);
        if (key) this.#lastKeyPts = pts90k;
        await encoder.encode(frame, key, (encoded) => writer.add(encoded));
      } finally {
        frame.free();
      }
    }
    if (this.#failed || this.#lastKeyPts === Number.NEGATIVE_INFINITY) return;
    signal.throwIfAborted();
    await encoder.flush((encoded) => this.#writer!.add(encoded));
    this.#writer!.finish(this.#ticks(this.#endDts));
  }

  #openWriter(): RenditionWriter {
    const { delivered, sampleEntry, onPart } = this.#pass;
    const first = this.#firstSample!;
    return new RenditionWriter({
      startDts90k: delivered?.dts90k ?? this.#ticks(first.dts),
      ctsOffset90k: this.#ctsOffset90k(),
      sampleEntry,
      parameterSets: this.#encoder!.parameterSets,
      firstSequence: delivered?.sequence ?? 1,
      onPart,
    });
  }

  /** Every picture of the rendition is shown so long after it is decoded: as the source's first. */
  #ctsOffset90k(): number {
    const first = this.#firstSample!;
    return this.#ticks(first.pts) - this.#ticks(first.dts);
  }

  /** A time of the source in 90 kHz. */
  #ticks(time: number): number {
    return Math.round((time * 90_000) / this.#source.track.timescale);
  }
}
