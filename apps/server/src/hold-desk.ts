// Legal holds, as one step: the catalog, the recorders, the audit trail.

import type { Catalog } from '#catalog';
import { NightjarError } from '#base';
import type { Hold, HoldInput } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import type { Principal } from './gatekeeper.js';
import type { CameraSpread } from './camera-spread.js';

export class HoldDesk {
  readonly #catalog: Catalog;
  readonly #spread: CameraSpread;
  readonly #audit: AuditDesk;

  constructor(o: { catalog: Catalog; spread: CameraSpread; audit: AuditDesk }) {
    this.#catalog = o.catalog;
    this.#spread = o.spread;
    this.#audit = o.audit;
  }

  /** The answer says whether the recorders have it already. */
  async place(input: HoldInput, by: Principal): Promise<Hold> {
    await demandKnownCameras(this.#catalog, input.cameras);
    const hold = await this.#catalog.holds.place(input, by.session.user.username);
    const { cameras, from, to, reason } = hold;
    await this.#audit.record(by, {
      action: 'hold.place',
      subject: hold.id,
      detail: { cameras, from, to, reason },
    });
    await this.#spread.spreadChange();
    return this.#catalog.holds.get(hold.id);
  }

  async lift(id: string, by: Principal): Promise<void> {
    const { cameras, from, to, reason } = await this.#catalog.holds.lift(id);
    await this.#audit.record(by, {
      action: 'hold.lift',
      subject: id,
      detail: { cameras, from, to, reason },
    });
    await this.#spread.spreadChange();
  }
}

/** Throws `invalid-argument` unless each was once declared: footage outlives its camera. */
export async function demandKnownCameras(
  catalog: Catalog,
  cameras: readonly string[],
): Promise<void> {
  const names = await catalog.cameras.names();
  const unknown = cameras.filter((camera) => !names.has(camera));
  if (unknown.length > 0) {
    throw new NightjarError('invalid-argument', 'cameras: expected known ones', { unknown });
  }
}
