// Takes the recorders' deletions of footage over into the audit trail, each once.

import { z } from 'zod';
import { messageOf, type Clock, type Log, type Timer } from '#base';
import type { Catalog } from '#catalog';
import { deletionSchema } from '#contract';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const EVERY_MS = 10_000;
const PAGE = 500;

const pageSchema = z.object({ items: z.array(deletionSchema), cursor: z.string().optional() });

export class DeletionCollector {
  readonly #catalog: Catalog;
  readonly #registry: RecorderRegistry;
  readonly #log: Log;
  readonly #timer: Timer;
  #collecting = false;

  constructor(o: { catalog: Catalog; registry: RecorderRegistry; clock: Clock; log: Log }) {
    this.#catalog = o.catalog;
    this.#registry = o.registry;
    this.#log = o.log;
    this.#timer = o.clock.every(EVERY_MS, () => void this.collect());
  }

  /** Never rejects: what could not be had now is had later, the cursor stays. */
  async collect(): Promise<void> {
    if (this.#collecting) return;
    this.#collecting = true;
    try {
      for (const peer of this.#registry.recorders()) {
        await this.#collectFrom(peer).catch((error: unknown) =>
          this.#log.warn({ recorder: peer.id, reason: messageOf(error) }, 'deletions stay behind'),
        );
      }
    } finally {
      this.#collecting = false;
    }
  }

  close(): void {
    this.#timer.cancel();
  }

  async #collectFrom(peer: Peer): Promise<void> {
    let after = await this.#catalog.audit.deletionsCursor(peer.id);
    for (;;) {
      const search = new URLSearchParams({ limit: String(PAGE) });
      if (after !== undefined) search.set('after', after);
      const page = pageSchema.parse(await peer.client.json(`/internal/deletions?${search}`));
      if (page.items.length === 0 && page.cursor === after) return;
      await this.#catalog.audit.addDeletions(peer.id, page.items, page.cursor);
      if (page.items.length < PAGE || page.cursor === undefined || page.cursor === after) return;
      after = page.cursor;
    }
  }
}
