// The recorders, for administrators: who shares the cameras, draining for maintenance, forgetting.

import { NightjarError } from '#base';
import type { StoredRecorder } from '#catalog';
import type { RecorderView } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import type { CameraSpread } from './camera-spread.js';
import type { Principal } from './gatekeeper.js';
import type { RecorderRegistry } from './recorder-registry.js';

export class RecorderDesk {
  readonly #spread: CameraSpread;
  readonly #registry: RecorderRegistry;
  readonly #audit: AuditDesk;

  constructor(o: { spread: CameraSpread; registry: RecorderRegistry; audit: AuditDesk }) {
    this.#spread = o.spread;
    this.#registry = o.registry;
    this.#audit = o.audit;
  }

  list(): RecorderView[] {
    return this.#spread.membership.list().map((row) => this.#view(row));
  }

  /** Throws `not-found`. */
  async drain(id: string, drained: boolean, by: Principal): Promise<RecorderView> {
    await this.#spread.drain(id, drained);
    await this.#audit.record(by, { action: 'recorder.drain', subject: id, detail: { drained } });
    const found = this.#spread.membership.list().find((row) => row.id === id);
    if (found === undefined) throw new NightjarError('not-found', 'there is no such recorder');
    return this.#view(found);
  }

  /** Throws `not-found`, and `failed-precondition` while it is there. */
  async forget(id: string, by: Principal): Promise<void> {
    const { cameras, kept } = this.#spread.counts(id);
    await this.#spread.forget(id);
    const detail = { cameras, camerasKept: kept };
    await this.#audit.record(by, { action: 'recorder.forget', subject: id, detail });
  }

  #view({ id, weight, drained, sharing }: StoredRecorder): RecorderView {
    const { cameras, kept } = this.#spread.counts(id);
    const isThere = this.#registry.findRecorder(id) !== undefined;
    const standing = drained ? 'drained' : sharing ? 'sharing' : 'waiting';
    return { id, state: isThere ? standing : 'lost', weight, cameras, camerasKept: kept };
  }
}
