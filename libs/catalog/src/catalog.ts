// The catalog as a whole: opened once per process, it holds one repository per concept.

import { createHash } from 'node:crypto';
import type { Clock, Log, SecretBox } from '#base';
import type { RecorderConfig } from '#contract';
import { AuditTrail } from './audit-trail.js';
import { Cameras } from './cameras.js';
import { Configuration } from './configuration.js';
import { Database } from './database.js';
import { Events } from './events.js';
import { Exports } from './exports.js';
import { Holds } from './holds.js';
import { Ids } from './ids.js';
import { Recorders } from './recorders.js';
import { Sessions } from './sessions.js';
import { Settings } from './settings.js';
import { Users } from './users.js';

export interface CatalogOptions {
  readonly databaseUrl: string;
  /** Seals camera credentials; its key must stay the same over restarts. */
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  readonly log: Log;
  /** How long to wait for a PostgreSQL that is still starting; default 60 s. */
  readonly patienceMs?: number;
}

/** Every method may throw `unavailable` while PostgreSQL cannot be reached; the next one reconnects. */
export class Catalog {
  readonly cameras: Cameras;
  readonly recorders: Recorders;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly holds: Holds;
  readonly exports: Exports;
  readonly audit: AuditTrail;
  readonly events: Events;
  readonly settings: Settings;
  /** All of it at once: backup and restore. */
  readonly configuration: Configuration;
  readonly #database: Database;

  private constructor(database: Database, o: CatalogOptions) {
    this.#database = database;
    const parts = { database, secretBox: o.secretBox, clock: o.clock, ids: new Ids(o.clock) };
    this.cameras = new Cameras(parts);
    this.recorders = new Recorders(parts);
    this.users = new Users(parts);
    this.sessions = new Sessions(parts);
    this.holds = new Holds(parts);
    this.exports = new Exports(parts);
    this.audit = new AuditTrail(parts);
    this.events = new Events(parts);
    this.settings = new Settings(parts);
    this.configuration = new Configuration(parts);
  }

  /** Connects and brings the tables up to date. Throws `unavailable` when nobody answers in time. */
  static async open(o: CatalogOptions): Promise<Catalog> {
    return new Catalog(await Database.open(o), o);
  }

  /**
   * What `recorder` has to do; its version is a digest of the rest. It also records the cameras in
   * `also` that it once had: until another has taken them over.
   */
  async recorderConfig(recorder: string, also?: ReadonlySet<string>): Promise<RecorderConfig> {
    const cameras = await this.cameras.forRecorder(recorder, also);
    const holds = await this.holds.forCameras(new Set(cameras.map((camera) => camera.id)));
    const version = createHash('sha256').update(canonical({ cameras, holds })).digest('hex');
    return { version, cameras, holds };
  }

  /** Throws `unavailable` unless PostgreSQL answers. */
  async ping(): Promise<void> {
    await this.#database.run((manager) => manager.query('SELECT 1'));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** JSON with sorted keys: PostgreSQL's jsonb keeps no order to rely on. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
