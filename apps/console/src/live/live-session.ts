// One live view of one camera: the socket, the choice between WebCodecs and MSE, and reconnects.

import {
  LIVE_HEADER_BYTES,
  LIVE_KIND,
  liveMessageSchema,
  readLiveHeader,
  type LiveInit,
  type LiveQuery,
} from '#contract';
import { socketUrl } from '../api/client.js';
import { retryDelayMs } from '../retry-delay.js';
import { Signal } from '../signal.js';
import type { LiveView } from './live-words.js';
import { PictureDecoder } from './picture-decoder.js';
import { SourceFeeder } from './source-feeder.js';

interface LiveSessionOptions {
  readonly camera: string;
  readonly track: LiveQuery['track'];
  readonly canvas: HTMLCanvasElement;
  readonly video: HTMLVideoElement;
  readonly detail: 'fit' | 'source';
}

const STALL_MS = 8000;
/** Parts that wait while the browser says whether it can decode them. */
const MAX_WAITING = 1500;

type Part = { data: Uint8Array; key: boolean; utcUs: number };

export class LiveSession {
  readonly view = new Signal<LiveView>({ kind: 'connecting' });
  /** Which element shows the picture. */
  readonly surface = new Signal<'canvas' | 'video'>('canvas');
  /** UTC of the newest picture shown, in ms. */
  readonly pictureAtMs = new Signal<number | undefined>(undefined);
  readonly #options: LiveSessionOptions;
  #format: LiveQuery['format'] = 'VideoDecoder' in globalThis ? 'annexb' : 'fmp4';
  #socket: WebSocket | undefined;
  #decoder: PictureDecoder | undefined;
  #feeder: SourceFeeder | undefined;
  #waiting: Part[] | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #stall: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #closed = false;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  #open(): void {
    this.#drop();
    const query = { format: this.#format, track: this.#options.track };
    const socket = new WebSocket(
      socketUrl('/api/cameras/:id/live', { id: this.#options.camera }, query),
    );
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return;
      if (typeof data === 'string') this.#onText(data);
      else if (data instanceof ArrayBuffer) this.#onPart(new Uint8Array(data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket || this.#closed) return;
      if (this.view.get().kind !== 'unsupported') this.#say({ kind: 'lost' });
      this.#retry = setTimeout(() => this.#open(), retryDelayMs(this.#attempt++));
    };
  }

  #drop(): void {
    clearTimeout(this.#stall);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) {
      socket.onmessage = null;
      // Closing a socket that is still connecting is reported by the browser as an error.
      if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
      else socket.close();
    }
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#feeder?.close();
    this.#feeder = undefined;
    this.#waiting = undefined;
  }

  #onText(text: string): void {
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return;
    }
    const message = liveMessageSchema.safeParse(body);
    if (!message.success) return;
    if (message.data.type === 'init') {
      void this.#onInit(message.data);
    } else if (message.data.state !== 'online' || this.view.get().kind !== 'playing') {
      const { state, reason } = message.data;
      clearTimeout(this.#stall);
      this.#say({ kind: 'camera', state, reason });
    }
  }

  async #onInit(init: LiveInit): Promise<void> {
    const socket = this.#socket;
    this.#attempt = 0;
    if (init.format === 'fmp4') {
      if (!SourceFeeder.supports(init))
        return this.#say({ kind: 'unsupported', codec: init.codec });
      this.#feeder?.close();
      this.#feeder = new SourceFeeder({
        video: this.#options.video,
        init,
        onPicture: () => this.#onPicture(Date.now()),
      });
      this.surface.set('video');
      return;
    }
    this.#waiting = [];
    const supported = await PictureDecoder.supports(init);
    if (this.#socket !== socket || this.#closed) return;
    if (!supported) return this.#withoutWebCodecs(init);
    this.#decoder ??= new PictureDecoder({
      canvas: this.#options.canvas,
      detail: this.#options.detail,
      onPicture: (utcUs) => this.#onPicture(utcUs / 1000),
    });
    this.#decoder.configure(init);
    this.surface.set('canvas');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const part of waiting ?? []) this.#decoder.push(part);
  }

  /** Some browsers decode a codec only in a video element. */
  #withoutWebCodecs(init: LiveInit): void {
    this.#waiting = undefined;
    if (SourceFeeder.supports(init)) {
      this.#format = 'fmp4';
      this.#open();
      return;
    }
    this.#say({ kind: 'unsupported', codec: init.codec });
    // Nobody here can use the bytes, so they are not fetched.
    this.#drop();
  }

  #onPart(bytes: Uint8Array): void {
    const header = readLiveHeader(bytes);
    if (header === undefined) return;
    const data = bytes.subarray(LIVE_HEADER_BYTES);
    if (header.kind !== LIVE_KIND.accessUnit) {
      this.#feeder?.push(data);
      return;
    }
    const part = { data, key: header.key, utcUs: header.utcUs };
    if (this.#waiting !== undefined) {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(part);
      return;
    }
    this.#decoder?.push(part);
  }

  #onPicture(utcMs: number): void {
    this.pictureAtMs.set(utcMs);
    this.#say({ kind: 'playing' });
    clearTimeout(this.#stall);
    this.#stall = setTimeout(() => this.#say({ kind: 'stalled' }), STALL_MS);
  }

  #say(view: LiveView): void {
    if (this.view.get().kind === 'playing' && view.kind === 'playing') return;
    this.view.set(view);
  }
}
