// Connections that outlive their request (live video, joysticks, feeds), ended with their session.

import { messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Route } from '#contract';
import type { Gatekeeper, Principal } from './gatekeeper.js';
import { mayEnter } from './route-table.js';

const CHECK_MS = 2000;

interface Connection {
  readonly principal: Principal;
  readonly route: Route;
  readonly end: () => void;
}

export class Connections {
  readonly #gatekeeper: Gatekeeper;
  readonly #log: Log;
  readonly #open = new Set<Connection>();
  readonly #timer: Timer;
  #checking = false;

  constructor(o: { gatekeeper: Gatekeeper; clock: Clock; log: Log }) {
    this.#gatekeeper = o.gatekeeper;
    this.#log = o.log;
    this.#timer = o.clock.every(CHECK_MS, () => void this.check());
  }

  get size(): number {
    return this.#open.size;
  }

  /** `end` is called once when the session no longer holds. Returns how to take it out again. */
  add(connection: Connection): () => void {
    this.#open.add(connection);
    return () => void this.#open.delete(connection);
  }

  /** Ends the connections whose session ended or lost its role. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      for (const connection of [...this.#open]) {
        const { principal, route } = connection;
        const session = await this.#gatekeeper.findSession(principal.token);
        if (session !== undefined && mayEnter(session.user.role, route)) continue;
        this.#open.delete(connection);
        connection.end();
      }
    } catch (error) {
      // While the catalog is away nobody can sign in or lose a role: connections stay.
      if (!(error instanceof NightjarError) || error.code !== 'unavailable') {
        this.#log.error({ reason: messageOf(error) }, 'open connections could not be checked');
      }
    } finally {
      this.#checking = false;
    }
  }

  close(): void {
    this.#timer.cancel();
    for (const connection of this.#open) connection.end();
    this.#open.clear();
  }
}
