// Changes of retention that would delete footage sooner: shown, kept waiting, confirmed, withdrawn.

import { messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Catalog } from '#catalog';
import type { Camera, PendingRetention, Retention } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import type { CameraSpread } from './camera-spread.js';
import type { EventDesk } from './event-desk.js';
import type { Principal } from './gatekeeper.js';
import type { RecorderFanOut } from './recorder-fan-out.js';
import { addUpEffects, effectSchema } from './retention-effects.js';

const WAIT_MS = 24 * 3_600_000;
const EVERY_MS = 60_000;

export class RetentionDesk {
  readonly #catalog: Catalog;
  readonly #fanOut: RecorderFanOut;
  readonly #spread: CameraSpread;
  readonly #audit: AuditDesk;
  readonly #events: EventDesk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timer: Timer;
  #applying: Promise<void> | undefined;

  constructor(o: {
    catalog: Catalog;
    fanOut: RecorderFanOut;
    spread: CameraSpread;
    audit: AuditDesk;
    events: EventDesk;
    clock: Clock;
    log: Log;
  }) {
    this.#catalog = o.catalog;
    this.#fanOut = o.fanOut;
    this.#spread = o.spread;
    this.#audit = o.audit;
    this.#events = o.events;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#timer = o.clock.every(EVERY_MS, () => void this.#applyAllDue());
    // The server may have been away when something was due.
    void this.#applyAllDue();
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#applying;
  }

  /** What waits from now on; undefined where nobody loses anything and it may hold at once. */
  async propose(
    camera: Camera,
    retention: Retention,
    by: Principal | 'system',
  ): Promise<PendingRetention | undefined> {
    if (!deletesSooner(camera.retention, retention)) return undefined;
    const { storedBytes, effect } = await this.#effectOf(camera.id, retention);
    if (storedBytes === 0 && effect.unavailable === undefined) return undefined;
    const nowMs = this.#clock.nowUnixMs();
    const pending: PendingRetention = {
      retention,
      requestedBy: by === 'system' ? 'system' : by.session.user.username,
      requestedAt: new Date(nowMs).toISOString(),
      effectiveAt: new Date(nowMs + WAIT_MS).toISOString(),
      effect,
    };
    await this.#audit.record(by, {
      action: 'retention.request',
      subject: camera.id,
      detail: { name: camera.name, before: camera.retention, ...pending },
    });
    await this.#catalog.cameras.setPendingRetention(camera.id, pending);
    await this.#tell(camera, 'asks for a retention that deletes sooner; it waits for 24 hours');
    return pending;
  }

  /** Throws `failed-precondition` when nothing waits. */
  async confirm(id: string, by: Principal | 'system'): Promise<Camera> {
    const camera = await this.#waiting(id);
    const { retention, requestedBy } = camera.pendingRetention;
    await this.#audit.record(by, {
      action: by === 'system' ? 'retention.apply' : 'retention.confirm',
      subject: id,
      detail: { name: camera.name, before: camera.retention, retention, requestedBy },
    });
    const changed = await this.#catalog.cameras.takePendingRetention(id, camera.pendingRetention);
    await this.#spread.spreadChange();
    await this.#tell(camera, 'has a new retention, which deletes sooner');
    return changed;
  }

  /** Throws `failed-precondition` when nothing waits. */
  async withdraw(id: string, by: Principal): Promise<Camera> {
    const camera = await this.#waiting(id);
    await this.#catalog.cameras.setPendingRetention(id, null);
    const { retention } = camera.pendingRetention;
    const detail = { name: camera.name, retention };
    await this.#audit.record(by, { action: 'retention.withdraw', subject: id, detail });
    await this.#tell(camera, 'keeps its retention: the change was withdrawn');
    return this.#catalog.cameras.get(id);
  }

  /** Lets hold what has waited long enough. Never rejects: what fails is tried in a minute. */
  #applyAllDue(): Promise<void> {
    this.#applying ??= this.#applyDue()
      .catch((error: unknown) =>
        this.#log.warn({ reason: messageOf(error) }, 'changes of retention wait longer'),
      )
      .finally(() => (this.#applying = undefined));
    return this.#applying;
  }

  async #applyDue(): Promise<void> {
    for (const { id, pendingRetention } of await this.#catalog.cameras.list()) {
      if (pendingRetention === undefined) continue;
      if (Date.parse(pendingRetention.effectiveAt) > this.#clock.nowUnixMs()) continue;
      await this.confirm(id, 'system');
    }
  }

  async #waiting(id: string): Promise<Camera & { pendingRetention: PendingRetention }> {
    const camera = await this.#catalog.cameras.get(id);
    const { pendingRetention } = camera;
    if (pendingRetention !== undefined) return { ...camera, pendingRetention };
    throw new NightjarError('failed-precondition', 'no change of retention waits', { camera: id });
  }

  async #effectOf(
    camera: string,
    retention: Retention,
  ): Promise<{ storedBytes: number; effect: PendingRetention['effect'] }> {
    const isShared = (await this.#spread.keepersOf(camera)).length > 1;
    const search = new URLSearchParams({
      ...{ camera, retention: JSON.stringify(retention), shared: String(isShared) },
    });
    const { answers, unavailable } = await this.#fanOut.askKeepers(
      [camera],
      () => `/internal/retention-effect?${search}`,
      (body) => effectSchema.parse(body),
    );
    const parts = answers.map(({ answer }) => answer);
    const { storedBytes, ...effect } = addUpEffects(parts, retention.maxBytes);
    return {
      storedBytes,
      effect: { ...effect, ...(unavailable.length === 0 ? {} : { unavailable }) },
    };
  }

  #tell(camera: Camera, what: string): Promise<void> {
    const message = `camera ${camera.name} ${what}`;
    return this.#events.publish([{ kind: 'configuration', camera: camera.id, message }]);
  }
}

/** Whether there can be footage that goes sooner by `next` than by `now`. */
export function deletesSooner(now: Retention, next: Retention): boolean {
  const words = (retention: Retention) => {
    const { days, motionDays = days, lowresDays = days } = retention;
    const { minDays = 0, maxBytes = Infinity, whenFull } = retention;
    return [days, motionDays, lowresDays, minDays, maxBytes, whenFull === 'stop-recording' ? 1 : 0];
  };
  const before = words(now);
  return words(next).some((value, index) => value < (before[index] ?? 0));
}
