// The live event feed: a socket with back-off, whose events go to whoever listens.

import { eventSchema, type NightjarEvent } from '#contract';
import { Signal } from '../signal.js';
import { retryDelayMs } from '../retry-delay.js';
import { socketUrl } from './client.js';

export class EventFeed {
  readonly connected = new Signal(false);
  readonly #onEvent: (event: NightjarEvent) => void;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #closed = false;

  constructor(onEvent: (event: NightjarEvent) => void) {
    this.#onEvent = onEvent;
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    const socket = new WebSocket(socketUrl('/api/events/live'));
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.connected.set(true);
    };
    socket.onmessage = ({ data }) => {
      const event = parseEvent(data);
      if (event !== undefined) this.#onEvent(event);
    };
    socket.onclose = () => {
      this.connected.set(false);
      if (this.#closed) return;
      this.#timer = setTimeout(() => this.#open(), retryDelayMs(this.#attempt++));
    };
  }
}

/** Messages of other kinds (camera states) are left to the status query. */
function parseEvent(data: unknown): NightjarEvent | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const parsed = eventSchema.safeParse(JSON.parse(data));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
