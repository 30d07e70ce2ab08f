// The joystick's socket: repeats a movement twenty times a second, and says stop once when it ends.

import { ptzReplySchema, type PtzCommand, type PtzMove, type PtzReply } from '#contract';
import { socketUrl } from '../api/client.js';
import { retryDelayMs } from '../retry-delay.js';
import { Signal } from '../signal.js';
import { isStill, STILL } from './stick-math.js';

/** Well inside the server's dead-man time. */
const PERIOD_MS = 50;

export interface PtzState {
  readonly connected: boolean;
  readonly text?: string | undefined;
  readonly latencyMs?: number | undefined;
}

export class PtzLink {
  readonly state = new Signal<PtzState>({ connected: false });
  readonly #camera: string;
  readonly #read: () => PtzMove;
  readonly #timer: ReturnType<typeof setInterval>;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #sequence = 0;
  #moving = false;
  #closed = false;

  /** `read` gives the movement wanted at this moment; it is polled. */
  constructor(camera: string, read: () => PtzMove) {
    this.#camera = camera;
    this.#read = read;
    this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
  }

  close(): void {
    if (this.#moving) this.#send({ type: 'stop', camera: this.#camera });
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #tick(): void {
    const move = document.hidden ? STILL : this.#read();
    if (isStill(move)) {
      if (this.#moving) this.#send({ type: 'stop', camera: this.#camera });
      this.#moving = false;
      return;
    }
    // The socket is opened by the first touch, so that looking at a camera takes no lock.
    if (this.#socket === undefined && this.#retry === undefined) this.#open();
    this.#moving = true;
    this.#sequence += 1;
    this.#send({ type: 'move', camera: this.#camera, sequence: this.#sequence, ...move });
  }

  #send(command: PtzCommand): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    // A movement that waits in the socket is an old one: better none than late.
    if (command.type === 'move' && socket.bufferedAmount > 2000) return;
    socket.send(JSON.stringify(command));
  }

  #open(): void {
    this.#retry = undefined;
    const socket = new WebSocket(socketUrl('/api/ptz'));
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.state.set({ connected: true });
    };
    socket.onmessage = ({ data }) => this.#onReply(data);
    socket.onclose = () => {
      this.#socket = undefined;
      if (this.#closed) return;
      this.state.set({ connected: false, text: 'Not connected; trying again.' });
      this.#retry = setTimeout(() => this.#open(), retryDelayMs(this.#attempt++));
    };
  }

  #onReply(data: unknown): void {
    if (typeof data !== 'string') return;
    let body: unknown;
    try {
      body = JSON.parse(data);
    } catch {
      return;
    }
    const reply = ptzReplySchema.safeParse(body);
    if (reply.success)
      this.state.set({ connected: true, ...describe(reply.data, this.state.get()) });
  }
}

function describe(reply: PtzReply, before: PtzState): Omit<PtzState, 'connected'> {
  switch (reply.type) {
    case 'done':
      return { latencyMs: reply.latencyMs };
    case 'stopped':
      return reply.why === 'silence'
        ? { text: 'Stopped: nothing was heard from here for half a second.' }
        : { latencyMs: before.latencyMs };
    case 'locked':
      return { text: `${reply.holder} is steering this camera. Wait until they let go.` };
    case 'error':
      return { text: `The camera did not move: ${reply.detail}` };
  }
}
