// Writes the audit trail for the server, and makes one entry of many where a client asks in bursts.

import type { AuditInput, Catalog } from '#catalog';
import type { Clock } from '#base';
import type { Principal } from './gatekeeper.js';

const MOST_KEYS = 10_000;

export type Deed = Pick<AuditInput, 'action' | 'subject' | 'outcome' | 'detail'>;

export class AuditDesk {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #lastMs = new Map<string, number>();

  constructor(catalog: Catalog, clock: Clock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  /** Rejects when the entry could not be written: what must be traceable does not happen then. */
  async record(by: Principal | 'system', deed: Deed): Promise<void> {
    await this.#catalog.audit.add(
      by === 'system'
        ? { actor: 'system', ...deed }
        : { actor: by.session.user.username, address: by.address, ...deed },
    );
  }

  /** The same at most once per `everyMs` for one user, action and subject. */
  async recordSometimes(by: Principal, deed: Deed, everyMs: number): Promise<void> {
    const key = `${by.session.user.id} ${deed.action} ${deed.subject ?? ''}`;
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(key);
    if (lastMs !== undefined && nowMs - lastMs < everyMs) return;
    this.#lastMs.delete(key);
    this.#lastMs.set(key, nowMs);
    if (this.#lastMs.size > MOST_KEYS) {
      const [oldest] = this.#lastMs.keys();
      if (oldest !== undefined) this.#lastMs.delete(oldest);
    }
    try {
      await this.record(by, deed);
    } catch (error) {
      this.#lastMs.delete(key);
      throw error;
    }
  }

  /** For somebody who is not signed in (yet). */
  async recordAttempt(actor: string, address: string, deed: Deed): Promise<void> {
    await this.#catalog.audit.add({ actor, address, ...deed });
  }
}
