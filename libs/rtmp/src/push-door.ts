// The port that publishers come to: open while a camera needs it, bounded in whom it lets wait.

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock, Log, Timer } from '#base';
import { PushSession, type Publication, type Publisher, type Refusal } from './push-session.js';
import { WrongKeys } from './wrong-keys.js';

const DEADLINE_MS = 10_000;
const RETRY_MS = 5000;
/** Who has shown no key yet, in all and from one address. */
const MAX_STRANGERS = 64;
const MAX_STRANGERS_OF_ADDRESS = 8;
const WRONG_KEY =
  'no camera has this stream key; copy the address from the camera’s settings again';

export interface PushDoorOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From a connection to its key; default 10 s. */
  readonly deadlineMs?: number;
}

/** A stream that somebody may publish. */
export interface PublishTarget {
  /** The publication, or why this publisher may not. */
  offer(publisher: Publisher): Publication | string;
}

interface Place {
  readonly digest: Buffer;
  readonly target: PublishTarget;
}

export class PushDoor {
  readonly #options: PushDoorOptions;
  readonly #wrongKeys: WrongKeys;
  /** In the order in which they came. */
  readonly #sessions = new Set<PushSession>();
  #places: Place[] = [];
  #server: Server | undefined;
  #retry: Timer | undefined;
  #port: number | undefined;
  #fault: string | undefined;
  #closed = false;

  constructor(options: PushDoorOptions) {
    this.#options = options;
    this.#wrongKeys = new WrongKeys(options.clock);
  }

  /** The port that is open now. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Why the port cannot be opened, as a sentence. */
  get fault(): string | undefined {
    return this.#fault;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Memory in which messages of all connections are put together. */
  get bufferBytes(): number {
    let sum = 0;
    for (const session of this.#sessions) sum += session.bufferBytes;
    return sum;
  }

  /** From now on who shows `key` publishes to `target`. The first one opens the port. */
  add(key: string, target: PublishTarget): void {
    this.#places.push({ digest: digestOf(key), target });
    if (this.#server === undefined && !this.#closed) this.#listen();
  }

  /** The last one closes the port. Who publishes is dismissed by its target. */
  remove(target: PublishTarget): void {
    this.#places = this.#places.filter((place) => place.target !== target);
    if (this.#places.length === 0) this.#stopListening();
  }

  /** Idempotent; everybody is hung up on. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    for (const session of [...this.#sessions]) session.close();
  }

  #listen(): void {
    const { host, port, clock, log } = this.#options;
    const server = createServer({ pauseOnConnect: false }, (socket) => this.#welcome(socket));
    this.#server = server;
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (server !== this.#server) return;
      const why = error.code === 'EADDRINUSE' ? 'another program has it' : error.message;
      if (this.#fault === undefined)
        log.error({ host, port, reason: why }, 'no port for publishers');
      this.#fault = `port ${port} cannot be opened for publishers: ${why}`;
      this.#port = undefined;
      this.#server = undefined;
      server.close();
      this.#retry = clock.after(RETRY_MS, () => {
        if (this.#places.length > 0 && !this.#closed) this.#listen();
      });
    });
    server.listen(port, host, () => {
      if (server !== this.#server) return;
      this.#fault = undefined;
      this.#port = (server.address() as AddressInfo).port;
      log.info({ host, port: this.#port }, 'publishers may come');
    });
  }

  #stopListening(): void {
    this.#retry?.cancel();
    this.#server?.close();
    this.#server = undefined;
    this.#port = undefined;
    this.#fault = undefined;
    for (const session of [...this.#sessions]) if (!session.publishes) session.close();
  }

  #welcome(socket: Socket): void {
    const { clock, log, deadlineMs = DEADLINE_MS } = this.#options;
    const strangers = [...this.#sessions].filter((session) => !session.publishes);
    const address = socket.remoteAddress;
    const same = strangers.filter((session) => session.address === address);
    if (address === undefined || same.length >= MAX_STRANGERS_OF_ADDRESS) {
      socket.destroy();
      return;
    }
    // Who has a key shows it within a moment: the one that waits longest is the least likely to.
    if (strangers.length >= MAX_STRANGERS) strangers[0]?.close();
    const session: PushSession = new PushSession({
      socket,
      clock,
      log,
      deadlineMs,
      onPublish: (key, publisher) => this.#publish(key, publisher),
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
  }

  #publish(key: string, publisher: Publisher): Publication | Refusal {
    const { log } = this.#options;
    const target = this.#find(key);
    if (target === undefined) {
      const { delayMs, log: worth } = this.#wrongKeys.note(publisher.address);
      if (worth) log.warn({ from: publisher.place }, 'a publisher has a key that no camera has');
      return { refused: WRONG_KEY, delayMs };
    }
    const answer = target.offer(publisher);
    return typeof answer === 'string' ? { refused: answer, delayMs: 0 } : answer;
  }

  /** Takes the same time for every key of a length, and for every place in the list. */
  #find(key: string): PublishTarget | undefined {
    const digest = digestOf(key);
    let found: PublishTarget | undefined;
    for (const place of this.#places) {
      if (timingSafeEqual(place.digest, digest)) found = place.target;
    }
    return found;
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
