// The face of the room: renditions and stills, so many at once, on the GPU where one works.

import { availableParallelism } from 'node:os';
import { messageOf, NightjarError, toNightjarError, type Log } from '#base';
import { writeFmp4Init, type VideoFormat } from '#media';
import { X264_PATH, type EncodePath } from './encode-path.js';
import { readInit, type SourceTrack } from './fmp4-reader.js';
import { H264Encoder } from './h264-encoder.js';
import type { Hardware, HardwareAttempt, HardwareReport } from './hardware.js';
import { usualColorSpace } from './picture-scaler.js';
import { hidesBlockEdges, renditionSize, type PictureSize } from './picture-size.js';
import {
  RenditionPassError,
  runRendition,
  type RenditionPass,
  type RenditionReport,
  type RenditionSource,
} from './rendition.js';
import { takeStill } from './still.js';
import { TranscodeGate, type TranscodePriority } from './transcode-gate.js';
import { videoFormatOf } from './video-format.js';

const STILL_QUALITY = 4;
const MOST_THREADS_EACH = 4;
/** Sizes whose parameter sets are remembered. */
const REMEMBERED_FORMATS = 64;

export interface TranscoderOptions {
  readonly log: Log;
  /** From `detectHardware`; absent: CPU. Its device is freed by `close`. */
  readonly hardware?: HardwareReport;
  /** Transcodes at once; the number of cores if absent. */
  readonly concurrency?: number;
  /** Transcodes that may wait; more are refused. */
  readonly queueLimit?: number;
}

export interface SliceRequest {
  readonly init: Uint8Array;
  readonly fragment: Uint8Array;
  /** Lines of the rendition; the source's if those are fewer. */
  readonly height: number;
  readonly signal?: AbortSignal;
  /** A fragment (the first with `styp`), as soon as it is whole. The buffer is the callee's. */
  readonly onPart: (part: Buffer) => void;
}

export interface TrackRequest extends Omit<SliceRequest, 'fragment'> {
  /** The fragments from the first on; called again if the GPU fails on the way. */
  readonly fragments: () => AsyncIterable<Uint8Array>;
}

export interface StillRequest {
  readonly init: Uint8Array;
  /** From a key frame up to the wanted picture. */
  readonly fragment: Uint8Array;
  readonly height: number;
  readonly signal?: AbortSignal;
}

export interface RenditionResult extends RenditionReport {
  readonly size: PictureSize;
  readonly encoder: EncodePath['name'];
  /** Why the CPU finished what a GPU began. */
  readonly fellBack?: string;
}

export interface TranscoderStatus {
  readonly encoder: EncodePath['name'];
  readonly decodesOnDevice: boolean;
  readonly attempts: readonly HardwareAttempt[];
  /** Requests that the CPU had to finish. */
  readonly hardwareFailures: number;
  readonly lastHardwareFailure?: string;
  readonly running: number;
  readonly waiting: number;
  readonly concurrency: number;
}

export class Transcoder {
  readonly #log: Log;
  readonly #report: HardwareReport;
  readonly #gate: TranscodeGate;
  readonly #cores = availableParallelism();
  readonly #concurrency: number;
  readonly #formats = new Map<string, Promise<VideoFormat>>();
  readonly #closing = new AbortController();
  readonly #active = new Set<Promise<unknown>>();
  #hardwareFailures = 0;
  #lastHardwareFailure: string | undefined;

  constructor(options: TranscoderOptions) {
    this.#log = options.log;
    this.#report = options.hardware ?? { attempts: [] };
    this.#concurrency = options.concurrency ?? this.#cores;
    this.#gate = new TranscodeGate(this.#concurrency, options.queueLimit ?? 64);
  }

  /** What renditions depend on beside their source: equal names give joinable slices. */
  get fingerprint(): string {
    return this.#paths.map(({ name }) => name).join('+') + '-1';
  }

  get status(): TranscoderStatus {
    return {
      encoder: this.#paths[0]!.name,
      decodesOnDevice: this.#report.hardware?.decodes === true,
      attempts: this.#report.attempts,
      hardwareFailures: this.#hardwareFailures,
      ...(this.#lastHardwareFailure === undefined
        ? {}
        : { lastHardwareFailure: this.#lastHardwareFailure }),
      running: this.#gate.running,
      waiting: this.#gate.waiting,
      concurrency: this.#concurrency,
    };
  }

  /**
   * The initialisation of every rendition at `height` of a source with this initialisation. Throws
   * `data-loss` or `unsupported` when the source's cannot be read.
   */
  async init(sourceInit: Uint8Array, height: number): Promise<Buffer> {
    const track = readInit(sourceInit);
    const { size, lines } = sizesOf(track, height);
    const formats = await Promise.all(this.#paths.map((path) => this.#formatOf(path, size, lines)));
    return writeFmp4Init({ formats });
  }

  /**
   * A rendition of one slice: same decoding times, same duration. Damaged samples are left out.
   * Throws `data-loss` when nothing decodes, `resource-exhausted` when too many wait, `cancelled`.
   */
  slice(request: SliceRequest): Promise<RenditionResult> {
    const { fragment } = request;
    return this.#rendition('viewer', {
      ...request,
      async *fragments() {
        yield fragment;
      },
    });
  }

  /** A rendition of a long source, behind all who watch. Memory holds one fragment at a time. */
  track(request: TrackRequest): Promise<RenditionResult> {
    return this.#rendition('batch', request);
  }

  /** A JPEG of the fragment's last picture, never larger than the source. */
  still(request: StillRequest): Promise<Buffer> {
    return this.#run('viewer', request.signal, (signal) =>
      takeStill({ ...request, signal, threads: this.#threads(1), quality: STILL_QUALITY }),
    );
  }

  /** Ends what runs and frees the device. */
  async close(): Promise<void> {
    this.#closing.abort(new NightjarError('cancelled', 'the transcoder is closing'));
    await Promise.allSettled(this.#active);
    this.#report.hardware?.device.free();
  }

  get #hardware(): Hardware | undefined {
    return this.#report.hardware;
  }

  /** The sample entries of every initialisation, in this order. */
  get #paths(): readonly EncodePath[] {
    return this.#hardware === undefined ? [X264_PATH] : [this.#hardware.path, X264_PATH];
  }

  #rendition(priority: TranscodePriority, request: TrackRequest): Promise<RenditionResult> {
    return this.#run(priority, request.signal, async (signal) => {
      const track = readInit(request.init);
      const { size } = sizesOf(track, request.height);
      const source: RenditionSource = { track, fragments: request.fragments };
      const common = {
        ...{ size, signal, onPart: request.onPart },
        // Decoding and encoding go on at once, each with so many.
        threads: this.#threads(2),
        // What is kept as evidence is decoded as the standard says.
        loopFilter:
          priority === 'viewer' && hidesBlockEdges(track.formats[0]!, size)
            ? ('left-out' as const)
            : ('applied' as const),
      };
      const onCpu = { path: X264_PATH, sampleEntry: this.#paths.length };
      const hardware = this.#hardware;
      if (hardware === undefined) {
        return { ...(await pass(source, { ...common, ...onCpu })), size, encoder: 'x264' };
      }
      try {
        const report = await runRendition(source, { ...common, ...onDevice(hardware) });
        return { ...report, size, encoder: hardware.path.name };
      } catch (error) {
        if (
          signal.aborted ||
          !(error instanceof RenditionPassError) ||
          !isHardwareFault(error.cause)
        ) {
          throw causeOf(error);
        }
        const fellBack = messageOf(error.cause);
        this.#hardwareFailures += 1;
        this.#lastHardwareFailure = fellBack;
        this.#log.warn({ fellBack, encoder: hardware.path.encoder }, 'the CPU takes over');
        const report = await pass(source, { ...common, ...onCpu, delivered: error.delivered });
        return { ...report, size, encoder: 'x264', fellBack };
      }
    });
  }

  #run<T>(
    priority: TranscodePriority,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const either =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const running = this.#gate
      .run(priority, either, () => work(either))
      .catch((error: unknown) => {
        throw either.aborted
          ? new NightjarError('cancelled', 'nobody waits for this any more', {}, error)
          : toNightjarError(error);
      })
      .finally(() => this.#active.delete(running));
    this.#active.add(running);
    return running;
  }

  /** Threads for each of a request's loops: a lone request may use the idle cores. */
  #threads(loops: number): number {
    const share = Math.floor(this.#cores / (loops * Math.max(1, this.#gate.running)));
    return Math.min(MOST_THREADS_EACH, Math.max(1, share));
  }

  #formatOf(path: EncodePath, size: PictureSize, sourceLines: number): Promise<VideoFormat> {
    const key = `${path.name} ${size.width}x${size.height} ${usualColorSpace(sourceLines)}`;
    const known = this.#formats.get(key);
    if (known !== undefined) return known;
    if (this.#formats.size >= REMEMBERED_FORMATS) this.#formats.clear();
    const format = this.#askFormat(path, size, sourceLines);
    this.#formats.set(key, format);
    format.catch(() => this.#formats.delete(key));
    return format;
  }

  async #askFormat(path: EncodePath, size: PictureSize, sourceLines: number): Promise<VideoFormat> {
    const encoder = await H264Encoder.open({
      path,
      device: this.#hardware?.device,
      size,
      colorSpace: usualColorSpace(sourceLines),
      threads: 1,
    });
    try {
      return videoFormatOf(encoder.parameterSets, size);
    } finally {
      encoder.close();
    }
  }
}

function sizesOf(track: SourceTrack, height: number): { size: PictureSize; lines: number } {
  const format = track.formats[0]!;
  return { size: renditionSize(format, height), lines: format.height };
}

function onDevice(
  hardware: Hardware,
): Pick<RenditionPass, 'path' | 'device' | 'decodeDevice' | 'sampleEntry'> {
  const { path, device, decodes } = hardware;
  const decodeDevice = decodes
    ? { context: device, pixelFormat: path.device!.pixelFormat }
    : undefined;
  return { path, device, decodeDevice, sampleEntry: 1 };
}

async function pass(source: RenditionSource, options: RenditionPass): Promise<RenditionReport> {
  try {
    return await runRendition(source, options);
  } catch (error) {
    throw causeOf(error);
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof RenditionPassError ? error.cause : error;
}

/** Damaged footage and impatient callers are nobody's fault. */
function isHardwareFault(cause: unknown): boolean {
  const { code } = toNightjarError(cause);
  return code === 'internal' || code === 'unsupported';
}
