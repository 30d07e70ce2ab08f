// Tells the server, every two seconds, that this transcoder lives and where its door is.

import { messageOf, type Clock, type InternalClient, type Log, type Timer } from '#base';
import type { Announce } from '#contract';

const EVERY_MS = 2000;

export class Announcer {
  readonly #client: InternalClient;
  readonly #announce: Announce;
  readonly #log: Log;
  readonly #timer: Timer;
  readonly #closing = new AbortController();
  #announcing = false;
  #heard: boolean | undefined;

  constructor(o: { client: InternalClient; announce: Announce; clock: Clock; log: Log }) {
    this.#client = o.client;
    this.#announce = o.announce;
    this.#log = o.log;
    this.#timer = o.clock.every(EVERY_MS, () => void this.#tell());
    void this.#tell();
  }

  close(): void {
    this.#timer.cancel();
    this.#closing.abort();
  }

  async #tell(): Promise<void> {
    if (this.#announcing) return;
    this.#announcing = true;
    try {
      await this.#client.json('/internal/announce', {
        method: 'POST',
        body: this.#announce,
        deadlineMs: EVERY_MS,
        signal: this.#closing.signal,
      });
      if (this.#heard !== true) this.#log.info('the server knows of this transcoder');
      this.#heard = true;
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (this.#heard !== false) {
        this.#log.warn({ reason: messageOf(error) }, 'the server does not hear this transcoder');
      }
      this.#heard = false;
    } finally {
      this.#announcing = false;
    }
  }
}
