// Changes of cameras, as one step: the catalog, the recorders, the audit trail.

import { isDeepStrictEqual } from 'node:util';
import { mergedRetention, type Catalog } from '#catalog';
import type { Camera, CameraInput, CameraPatch } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import type { EventDesk } from './event-desk.js';
import type { Principal } from './gatekeeper.js';
import type { PtzDesk } from './ptz-desk.js';
import type { CameraSpread } from './camera-spread.js';
import type { RetentionDesk } from './retention-desk.js';

export class CameraDesk {
  readonly #catalog: Catalog;
  readonly #spread: CameraSpread;
  readonly #audit: AuditDesk;
  readonly #events: EventDesk;
  readonly #ptz: PtzDesk;
  readonly #retention: RetentionDesk;
  readonly #rtmpPort: number;

  constructor(o: {
    catalog: Catalog;
    spread: CameraSpread;
    audit: AuditDesk;
    events: EventDesk;
    ptz: PtzDesk;
    retention: RetentionDesk;
    rtmpPort: number;
  }) {
    this.#catalog = o.catalog;
    this.#spread = o.spread;
    this.#audit = o.audit;
    this.#events = o.events;
    this.#ptz = o.ptz;
    this.#retention = o.retention;
    this.#rtmpPort = o.rtmpPort;
  }

  async add(input: CameraInput, by: Principal | 'system'): Promise<Camera> {
    const camera = await this.#catalog.cameras.add(input);
    await this.#after(camera, 'add', by, { name: camera.name });
    return camera;
  }

  /** A retention that deletes footage sooner waits, unless the patch confirms it. */
  async change(id: string, asked: CameraPatch, by: Principal | 'system'): Promise<Camera> {
    const { confirm = false, retention, ...others } = asked;
    let patch: CameraPatch = others;
    if (retention !== undefined) {
      const before = await this.#catalog.cameras.get(id);
      const next = mergedRetention(before.retention, retention);
      const isChange = !isDeepStrictEqual(next, before.retention);
      const pending =
        isChange && !confirm ? await this.#retention.propose(before, next, by) : undefined;
      if (pending === undefined && isChange) patch = { ...others, retention };
      else if (Object.keys(others).length === 0) return this.#catalog.cameras.get(id);
    }
    const camera = await this.#catalog.cameras.change(id, patch);
    // Names of fields only: values may be secret.
    await this.#after(camera, 'change', by, { name: camera.name, fields: Object.keys(patch) });
    return camera;
  }

  /** The old key is worth nothing when it resolves; who publishes with it is hung up on. */
  async renewKey(id: string, track: 'main' | 'sub', by: Principal): Promise<Camera> {
    const camera = await this.#catalog.cameras.renewKey(id, track);
    await this.#after(camera, 'change', by, { name: camera.name, fields: [`${track} stream key`] });
    return camera;
  }

  /** With the whole addresses to publish to, for somebody who called this server `hostname`. */
  withPublishUrls(camera: Camera, hostname: string): Camera {
    if (camera.publish === undefined) return camera;
    const origin = `rtmp://${hostname}${this.#rtmpPort === 1935 ? '' : `:${this.#rtmpPort}`}`;
    const { main, sub } = camera.publish;
    const publish = {
      ...(main === undefined ? {} : { main: { ...main, url: origin + main.path } }),
      ...(sub === undefined ? {} : { sub: { ...sub, url: origin + sub.path } }),
    };
    return { ...camera, publish };
  }

  async remove(id: string, by: Principal): Promise<void> {
    const camera = await this.#catalog.cameras.get(id);
    await this.#catalog.cameras.remove(id);
    await this.#after(camera, 'remove', by, { name: camera.name });
  }

  async #after(
    camera: Camera,
    verb: 'add' | 'change' | 'remove',
    by: Principal | 'system',
    detail: Record<string, unknown>,
  ): Promise<void> {
    this.#ptz.forget(camera.id);
    await this.#audit.record(by, { action: `camera.${verb}`, subject: camera.id, detail });
    await this.#spread.spreadChange();
    const past = { add: 'added', change: 'changed', remove: 'removed' }[verb];
    await this.#events.publish([
      { kind: 'configuration', camera: camera.id, message: `camera ${camera.name} was ${past}` },
    ]);
  }
}
