// The cameras: declared by administrators, recorded by recorders, kept as a shadow when removed.

import { In, IsNull } from 'typeorm';
import { isUuid, NightjarError, type Clock, type SecretBox } from '#base';
import {
  retentionFault,
  type Camera,
  type CameraInput,
  type CameraPatch,
  type MotionSettings,
  type PendingRetention,
  type RecorderCamera,
  type Retention,
} from '#contract';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { cameraEntity, keeperEntity, type CameraRow } from './schema.js';
import { hasCredentials, newPushUrl, pushKey, replacedUrl, shownUrl } from './stream-urls.js';

/** Everything of a camera that is secret; one sealed text per row. */
interface CameraSecrets {
  main: string;
  sub?: string;
  onvifPassword?: string;
}

/** How to reach a camera's ONVIF service. */
export interface OnvifAccess {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

export class Cameras {
  readonly #database: Database;
  readonly #secretBox: SecretBox;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; secretBox: SecretBox; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#secretBox = o.secretBox;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  /** By name, then by age. Removed ones are left out. */
  async list(): Promise<Camera[]> {
    const rows = await this.#database.table(cameraEntity, (table) =>
      table.find({ where: { removedAt: IsNull() }, order: { name: 'ASC', id: 'ASC' } }),
    );
    return rows.map((row) => this.#cameraOf(row));
  }

  async find(id: string): Promise<Camera | undefined> {
    const row = await this.#findRow(id);
    return row === undefined ? undefined : this.#cameraOf(row);
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<Camera> {
    return this.#cameraOf(await this.#getRow(id));
  }

  /** The names of cameras by id, removed ones included: their footage may still be there. */
  async names(): Promise<Map<string, string>> {
    const rows = await this.#database.table(cameraEntity, (table) =>
      table.find({ select: { id: true, name: true } }),
    );
    return new Map(rows.map((row) => [row.id, row.name]));
  }

  async add(input: CameraInput): Promise<Camera> {
    const now = new Date(this.#clock.nowUnixMs());
    const id = this.#ids.next();
    const secrets: CameraSecrets = {
      main: replacedUrl(undefined, input.streams.main),
      ...(input.streams.sub === undefined
        ? {}
        : { sub: replacedUrl(undefined, input.streams.sub) }),
      ...(input.onvif?.password === undefined ? {} : { onvifPassword: input.onvif.password }),
    };
    needOnvif(input.motion, input.onvif?.url);
    const row: CameraRow = {
      id,
      name: input.name,
      ...this.#sealed(id, secrets),
      onvifUrl: input.onvif === undefined ? null : shownUrl(input.onvif.url),
      onvifUsername: input.onvif?.username ?? null,
      transport: input.transport,
      recording: input.recording,
      retention: input.retention,
      pendingRetention: null,
      motion: input.motion,
      location: input.location ?? null,
      recorder: null,
      createdAt: now,
      updatedAt: now,
      removedAt: null,
    };
    await this.#database.table(cameraEntity, (table) => table.insert(row));
    return { ...this.#cameraOf(row), ...madeKeys({}, secrets) };
  }

  /** Merges one level deep; null removes. Throws `not-found` and `invalid-argument`. */
  change(id: string, patch: CameraPatch): Promise<Camera> {
    return this.#change(id, (row) => this.#patched(row, patch));
  }

  /** A new key for a stream that is pushed. Throws `not-found` and `failed-precondition`. */
  renewKey(id: string, track: 'main' | 'sub'): Promise<Camera> {
    return this.#change(id, (row) => {
      const secrets = this.#secretsOf(row);
      if (pushKey(secrets[track] ?? '') === undefined) {
        const message = `expected a ${track} stream that the camera pushes, found another or none`;
        throw new NightjarError('failed-precondition', message, { camera: id });
      }
      secrets[track] = newPushUrl();
      const updatedAt = new Date(this.#clock.nowUnixMs());
      return { ...row, ...this.#sealed(row.id, secrets), updatedAt };
    });
  }

  #change(id: string, changedRow: (row: CameraRow) => CameraRow): Promise<Camera> {
    return this.#database.transaction(async (manager) => {
      const table = manager.getRepository(cameraEntity);
      const row = isUuid(id)
        ? await table.findOne({
            where: { id, removedAt: IsNull() },
            lock: { mode: 'pessimistic_write' },
          })
        : null;
      if (row === null) throw cameraNotFound(id);
      const before = this.#secretsOf(row);
      const changed = changedRow(row);
      await table.save(changed);
      return { ...this.#cameraOf(changed), ...madeKeys(before, this.#secretsOf(changed)) };
    });
  }

  /** What waits to hold; null: nothing does. Throws `not-found`. */
  setPendingRetention(id: string, pending: PendingRetention | null): Promise<Camera> {
    return this.#change(id, (row) => ({ ...row, pendingRetention: pending }));
  }

  /** Makes what waits hold. Throws `not-found`, and `conflict` when something else waits by now. */
  takePendingRetention(id: string, pending: PendingRetention): Promise<Camera> {
    return this.#change(id, (row) => {
      if (row.pendingRetention?.requestedAt !== pending.requestedAt) {
        throw new NightjarError('conflict', 'another change of retention waits by now', {
          camera: id,
        });
      }
      const updatedAt = new Date(this.#clock.nowUnixMs());
      return { ...row, updatedAt, retention: pending.retention, pendingRetention: null };
    });
  }

  /** Stops the camera for good; what it recorded stays under its retention. */
  async remove(id: string): Promise<void> {
    const removedAt = new Date(this.#clock.nowUnixMs());
    const result = await this.#database.table(cameraEntity, (table) =>
      table.update({ id: isUuid(id) ? id : this.#ids.next(), removedAt: IsNull() }, { removedAt }),
    );
    if (result.affected === 0) throw cameraNotFound(id);
  }

  /** Undefined when the camera has no ONVIF service. Throws `not-found`. */
  async onvifAccess(id: string): Promise<OnvifAccess | undefined> {
    const row = await this.#getRow(id);
    if (row.onvifUrl === null) return undefined;
    const { onvifPassword } = this.#secretsOf(row);
    return {
      url: row.onvifUrl,
      ...(row.onvifUsername === null ? {} : { username: row.onvifUsername }),
      ...(onvifPassword === undefined ? {} : { password: onvifPassword }),
    };
  }

  /**
   * What `recorder` has to record (its own, and those in `also`), and the cameras whose footage it
   * keeps without recording them; by id.
   */
  async forRecorder(
    recorder: string,
    also: ReadonlySet<string> = new Set(),
  ): Promise<RecorderCamera[]> {
    const kept = await this.#database.table(keeperEntity, (table) =>
      table.find({ select: { camera: true, recorder: true }, where: { recorder } }),
    );
    const rows = await this.#database.table(cameraEntity, (table) =>
      table.find({
        where: [{ recorder }, { id: In(kept.map(({ camera }) => camera)) }],
        order: { id: 'ASC' },
      }),
    );
    return rows.map((row) => {
      const { main, sub, onvifPassword } = this.#secretsOf(row);
      const motion = motionOf(row);
      const removed = row.removedAt !== null;
      const moved = !removed && row.recorder !== recorder && !also.has(row.id);
      return {
        id: row.id,
        name: row.name,
        streams: sub === undefined ? { main } : { main, sub },
        transport: row.transport,
        // A schedule would switch a removed camera on again.
        recording: removed ? { mode: 'off', preRollSeconds: 0, postRollSeconds: 0 } : row.recording,
        retention: row.retention,
        motion,
        // A recorder gets no password that it has no use for.
        ...(motion.source === 'video' ||
        motion.source === 'off' ||
        removed ||
        moved ||
        row.onvifUrl === null
          ? {}
          : {
              onvif: {
                url: row.onvifUrl,
                ...(row.onvifUsername === null ? {} : { username: row.onvifUsername }),
                ...(onvifPassword === undefined ? {} : { password: onvifPassword }),
              },
            }),
        ...(removed ? { removed } : {}),
        ...(moved ? { moved } : {}),
      };
    });
  }

  #patched(row: CameraRow, patch: CameraPatch): CameraRow {
    const secrets = this.#secretsOf(row);
    const { streams, onvif } = patch;
    if (streams?.main !== undefined) secrets.main = replacedUrl(secrets.main, streams.main);
    if (streams?.sub === null) delete secrets.sub;
    else if (streams?.sub !== undefined) secrets.sub = replacedUrl(secrets.sub, streams.sub);

    const changed = { ...row, updatedAt: new Date(this.#clock.nowUnixMs()) };
    if (onvif === null) {
      changed.onvifUrl = null;
      changed.onvifUsername = null;
      delete secrets.onvifPassword;
    } else if (onvif !== undefined) {
      if (onvif.url !== undefined) {
        // Keeps the password from being sent to another device than the one it was given for.
        const moved = row.onvifUrl !== null && !sameHost(row.onvifUrl, onvif.url);
        if (moved) delete secrets.onvifPassword;
        changed.onvifUrl = shownUrl(onvif.url);
      }
      if (changed.onvifUrl === null) {
        throw new NightjarError('invalid-argument', 'onvif.url: expected a URL, found none');
      }
      if (onvif.username !== undefined) changed.onvifUsername = onvif.username;
      if (onvif.password !== undefined) secrets.onvifPassword = onvif.password;
    }
    Object.assign(changed, this.#sealed(row.id, secrets));

    if (patch.name !== undefined) changed.name = patch.name;
    if (patch.transport !== undefined) changed.transport = patch.transport;
    if (patch.location !== undefined) changed.location = patch.location;
    changed.recording = merged(row.recording, patch.recording);
    changed.retention = mergedRetention(row.retention, patch.retention);
    // What somebody says now stands against what waits.
    if (patch.retention !== undefined) changed.pendingRetention = null;
    const motion = merged(motionOf(row), patch.motion);
    needOnvif(motion, changed.onvifUrl);
    changed.motion = motion;
    return changed;
  }

  async #findRow(id: string): Promise<CameraRow | undefined> {
    if (!isUuid(id)) return undefined;
    const row = await this.#database.table(cameraEntity, (table) =>
      table.findOneBy({ id, removedAt: IsNull() }),
    );
    return row ?? undefined;
  }

  async #getRow(id: string): Promise<CameraRow> {
    const row = await this.#findRow(id);
    if (row === undefined) throw cameraNotFound(id);
    return row;
  }

  #sealed(
    id: string,
    secrets: CameraSecrets,
  ): Pick<CameraRow, 'mainUrl' | 'subUrl' | 'sealedSecrets'> {
    return {
      mainUrl: shownUrl(secrets.main),
      subUrl: secrets.sub === undefined ? null : shownUrl(secrets.sub),
      sealedSecrets: this.#secretBox.seal(JSON.stringify(secrets), cameraPurpose(id)),
    };
  }

  #secretsOf(row: CameraRow): CameraSecrets {
    return JSON.parse(
      this.#secretBox.open(row.sealedSecrets, cameraPurpose(row.id)),
    ) as CameraSecrets;
  }

  #cameraOf(row: CameraRow): Camera {
    const secrets = this.#secretsOf(row);
    return {
      id: row.id,
      name: row.name,
      streams: row.subUrl === null ? { main: row.mainUrl } : { main: row.mainUrl, sub: row.subUrl },
      ...(row.onvifUrl === null
        ? {}
        : {
            onvif: {
              url: row.onvifUrl,
              ...(row.onvifUsername === null ? {} : { username: row.onvifUsername }),
              hasPassword: secrets.onvifPassword !== undefined,
            },
          }),
      hasCredentials:
        hasCredentials(secrets.main) || (secrets.sub !== undefined && hasCredentials(secrets.sub)),
      recording: row.recording,
      retention: row.retention,
      ...(row.pendingRetention === null ? {} : { pendingRetention: row.pendingRetention }),
      motion: motionOf(row),
      ...(row.location === null ? {} : { location: row.location }),
      transport: row.transport,
      ptz: row.onvifUrl !== null,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
    };
  }
}

/** Where to publish, of streams whose keys were made just now. */
function madeKeys(before: Partial<CameraSecrets>, after: CameraSecrets): Pick<Camera, 'publish'> {
  const address = (track: 'main' | 'sub') => {
    const key = pushKey(after[track] ?? '');
    const made = key !== undefined && before[track] !== after[track];
    return made ? { [track]: { path: `/live/${key}` } } : {};
  };
  const publish = { ...address('main'), ...address('sub') };
  return Object.keys(publish).length === 0 ? {} : { publish };
}

/** Binds sealed secrets to their row: a text copied to another camera does not open. */
export function cameraPurpose(id: string): string {
  return `camera ${id}`;
}

/** Rows from before there was a choice have no source. */
function motionOf(row: CameraRow): MotionSettings {
  return { ...row.motion, source: row.motion.source ?? 'video' };
}

function needOnvif({ source }: MotionSettings, url: string | null | undefined): void {
  if (source === 'video' || source === 'off' || (url !== null && url !== undefined)) return;
  throw new NightjarError(
    'invalid-argument',
    `motion.source: ${source} needs an ONVIF address to ask for the camera's events, found none`,
  );
}

function sameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;
}

/** The whole retention that a patch leads to. Throws `invalid-argument` where its words differ. */
export function mergedRetention(retention: Retention, patch: CameraPatch['retention']): Retention {
  const next = merged(retention, patch);
  const fault = patch === undefined ? undefined : retentionFault(next);
  if (fault !== undefined) throw new NightjarError('invalid-argument', fault);
  return next;
}

/** `change` over `value`: undefined keeps, null removes. */
function merged<T extends object>(
  value: T,
  change: { readonly [Key in keyof T]?: T[Key] | null | undefined } | undefined,
): T {
  const given = Object.entries(change ?? {}).filter(([, field]) => field !== undefined);
  const fields = { ...value, ...Object.fromEntries(given) };
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null)) as T;
}

function cameraNotFound(id: string): NightjarError {
  return new NightjarError('not-found', 'there is no such camera', { camera: id });
}
