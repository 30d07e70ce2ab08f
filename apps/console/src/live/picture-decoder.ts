// Decodes Annex-B access units with WebCodecs and paints the newest frame once per screen refresh.

import type { LiveInit } from '#contract';
import { DecodePressure } from './decode-pressure.js';

interface PictureDecoderOptions {
  readonly canvas: HTMLCanvasElement;
  /** `fit` paints no more pixels than the canvas shows; `source` keeps every pixel. */
  readonly detail: 'fit' | 'source';
  onPicture(utcUs: number): void;
}

export class PictureDecoder {
  readonly #options: PictureDecoderOptions;
  readonly #context: CanvasRenderingContext2D | null;
  readonly #pressure = new DecodePressure();
  readonly #resize: ResizeObserver;
  #shown = { width: 640, height: 360 };
  #decoder: VideoDecoder | undefined;
  #config: VideoDecoderConfig | undefined;
  #pending: VideoFrame | undefined;
  #repaint = 0;
  #drawn = 0;
  #errors = 0;

  constructor(options: PictureDecoderOptions) {
    this.#options = options;
    this.#context = options.canvas.getContext('2d', { alpha: false, desynchronized: true });
    this.#resize = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const ratio = globalThis.devicePixelRatio || 1;
      this.#shown = {
        width: Math.max(16, entry.contentRect.width * ratio),
        height: Math.max(16, entry.contentRect.height * ratio),
      };
    });
    this.#resize.observe(options.canvas);
  }

  static async supports(init: LiveInit): Promise<boolean> {
    try {
      return (await VideoDecoder.isConfigSupported(toConfig(init))).supported === true;
    } catch {
      return false;
    }
  }

  configure(init: LiveInit): void {
    this.#config = toConfig(init);
    this.#reopen();
  }

  /** Takes one access unit; what the decoder has no time for is dropped up to the next key frame. */
  push(unit: { data: Uint8Array; key: boolean; utcUs: number }): void {
    const decoder = this.#decoder;
    if (decoder === undefined || decoder.state !== 'configured') return;
    if (!this.#pressure.admit(unit, decoder.decodeQueueSize)) return;
    try {
      decoder.decode(
        new EncodedVideoChunk({
          type: unit.key ? 'key' : 'delta',
          timestamp: unit.utcUs,
          data: unit.data,
        }),
      );
    } catch {
      this.#reopen();
    }
  }

  close(): void {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#repaint);
    this.#pending?.close();
    this.#pending = undefined;
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = undefined;
  }

  #reopen(): void {
    if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#pressure.reset();
    const config = this.#config;
    if (config === undefined) return;
    const decoder = new VideoDecoder({
      output: (frame) => this.#hold(frame),
      error: () => {
        // A torn picture is normal after lost packets; a decoder that fails at once is not.
        this.#errors += 1;
        if (this.#decoder === decoder && this.#errors < 20) this.#reopen();
      },
    });
    this.#decoder = decoder;
    decoder.configure(config);
  }

  #hold(frame: VideoFrame): void {
    this.#errors = 0;
    this.#pending?.close();
    this.#pending = frame;
    if (this.#repaint === 0) this.#repaint = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    this.#repaint = 0;
    const frame = this.#pending;
    this.#pending = undefined;
    if (frame === undefined) return;
    const { canvas, detail } = this.#options;
    const scale =
      detail === 'source'
        ? 1
        : Math.min(
            1,
            this.#shown.width / frame.displayWidth,
            this.#shown.height / frame.displayHeight,
          );
    const width = Math.max(1, Math.round(frame.displayWidth * scale));
    const height = Math.max(1, Math.round(frame.displayHeight * scale));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    this.#context?.drawImage(frame, 0, 0, width, height);
    this.#drawn += 1;
    canvas.dataset['frames'] = String(this.#drawn);
    this.#options.onPicture(frame.timestamp);
    frame.close();
  }
}

const toConfig = (init: LiveInit): VideoDecoderConfig => ({
  codec: init.codecString,
  codedWidth: init.width,
  codedHeight: init.height,
  optimizeForLatency: true,
});
