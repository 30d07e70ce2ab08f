// The live feed: events as they happen, and the states of cameras whenever they change.

import type { WebSocket } from 'ws';
import { messageOf, type Clock, type Log, type Timer } from '#base';
import type { EventDesk } from './event-desk.js';
import type { Gateway } from './sockets.js';
import type { StatusDesk } from './status-desk.js';

const LOOK_MS = 2000;
/** A client that reads nothing is let go: it can come back and ask what it missed. */
const MOST_BUFFERED_BYTES = 1024 * 1024;

export class FeedGateway implements Gateway {
  readonly path = '/api/events/live';
  readonly #statuses: StatusDesk;
  readonly #log: Log;
  readonly #sockets = new Set<WebSocket>();
  readonly #timer: Timer;
  readonly #stopListening: () => void;
  #looking = false;
  #states = '';

  constructor(o: { events: EventDesk; statuses: StatusDesk; clock: Clock; log: Log }) {
    this.#statuses = o.statuses;
    this.#log = o.log;
    this.#timer = o.clock.every(LOOK_MS, () => void this.#look());
    this.#stopListening = o.events.listen((event) => {
      const text = JSON.stringify(event);
      for (const socket of this.#sockets) send(socket, text);
    });
  }

  open(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.#states !== '') send(socket, this.#states);
    void this.#look();
  }

  close(): void {
    this.#timer.cancel();
    this.#stopListening();
  }

  /** Asks the recorders only while somebody listens. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    if (this.#sockets.size === 0) {
      this.#states = '';
      return;
    }
    this.#looking = true;
    try {
      const states = JSON.stringify({ type: 'states', items: await this.#statuses.list() });
      if (states !== this.#states) for (const socket of this.#sockets) send(socket, states);
      this.#states = states;
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'camera states could not be told');
    } finally {
      this.#looking = false;
    }
  }
}

function send(socket: WebSocket, text: string): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MOST_BUFFERED_BYTES) socket.terminate();
  else socket.send(text);
}
