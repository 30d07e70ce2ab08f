// Spreads the cameras over the recorders: by Maglev over those who share, each camera to one of them,
// and remembers who may have footage of which.

import { MaglevTable, messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Catalog } from '#catalog';
import type { Announce, AnnounceAnswer, RecorderConfig } from '#contract';
import { Membership } from './membership.js';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const SETTLE_MS = 1000;
const NUDGE_DEADLINE_MS = 3000;
/** The catalog may also be changed by another program. */
const CONFIG_CACHE_MS = 10_000;
/** For cameras that nobody knows the catalog is asked no more often. */
const UNKNOWN_MS = 1000;
/** So long the former recorder goes on beside the new one, which has to find the camera first. */
const HANDOVER_MS = 5000;

/** What a recorder runs, and what it was sent last. */
interface Versions {
  running: string | undefined;
  sent: string | undefined;
}

/** A recorder that may have footage of a camera. */
export interface Keeper {
  readonly id: string;
  readonly sinceUnixMs: number;
}

export interface SpreadParts {
  readonly catalog: Catalog;
  readonly registry: RecorderRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

export class CameraSpread {
  readonly #catalog: Catalog;
  readonly #registry: RecorderRegistry;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly membership: Membership;
  readonly #versions = new Map<string, Versions>();
  readonly #configs = new Map<string, { config: RecorderConfig; atMs: number }>();
  /** Cameras that their former recorder goes on recording for a moment. */
  readonly #handedOver = new Map<string, string>();
  #timer: Timer | undefined;
  #handovers: Timer[] = [];
  #generation = 0;
  /** Whether cameras can push to a recorder, as it said last. */
  readonly #doors = new Map<string, boolean>();
  #table: { readonly key: string; readonly table: MaglevTable } | undefined;
  /** Membership changed and the catalog has not heard of it. */
  #unsettled = false;
  #working: Promise<unknown> = Promise.resolve();
  /** As of the last time that the catalog answered. */
  #owners = new Map<string, string>();
  #keepers = new Map<string, ReadonlyMap<string, number>>();
  #lookup: { readonly atMs: number; readonly done: Promise<void> } | undefined;

  private constructor(o: SpreadParts) {
    this.#catalog = o.catalog;
    this.#registry = o.registry;
    this.#clock = o.clock;
    this.#log = o.log;
    this.membership = new Membership(o.clock);
  }

  /** Takes up what the server before this one knew, so that nothing moves because of a restart. */
  static async open(o: SpreadParts): Promise<CameraSpread> {
    const spread = new CameraSpread(o);
    spread.membership.restore(await o.catalog.recorders.list());
    await spread.#refresh();
    spread.#timer = o.clock.every(SETTLE_MS, () => void spread.#trySettle());
    return spread;
  }

  close(): void {
    this.#timer?.cancel();
    for (const timer of this.#handovers) timer.cancel();
  }

  /** Never fails for want of the catalog: a recorder keeps what it has and asks again. */
  async announce(announce: Announce): Promise<AnnounceAnswer> {
    this.#registry.hear(announce);
    if (announce.role !== 'recorder') return {};
    const { id, configVersion, weight = 1 } = announce;
    const versions = this.#versionsOf(id);
    versions.running = configVersion;
    this.#hearDoor(id, announce.takesPushes ?? true);
    if (this.membership.hear(id, weight)) this.#unsettled = true;
    try {
      // A recorder that came, or came back, gets its share with this answer.
      await this.#settle();
      const config = await this.#configOf(id);
      if (config.version !== configVersion) {
        versions.sent = config.version;
        return { config };
      }
      await this.#confirmHolds();
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    return {};
  }

  /**
   * Lets recorders fetch a changed configuration now. Returns when they have applied it, or after a
   * deadline: a recorder that is down fetches it when it is back.
   */
  async spreadChange(): Promise<void> {
    await this.#queued(() => this.#assign()).catch((error: unknown) => {
      if (!isAway(error)) throw error;
    });
    this.#invalidate();
    await this.#refresh();
    await this.#nudge(this.#registry.recorders());
    await this.#confirmHolds();
  }

  /** Takes a recorder's cameras away at once, or gives it its share again. Throws `not-found`. */
  async drain(id: string, drained: boolean): Promise<void> {
    if (!this.membership.drain(id, drained)) throw noRecorder(id);
    await this.#catalog.recorders.save(this.membership.list().filter((row) => row.id === id));
    await this.#settle();
  }

  /** For one that will not come back. Throws `failed-precondition` while it is there. */
  async forget(id: string): Promise<void> {
    if (!this.membership.list().some((row) => row.id === id)) throw noRecorder(id);
    if (this.#registry.findRecorder(id) !== undefined) {
      throw new NightjarError('failed-precondition', `expected a lost recorder, found ${id} alive`);
    }
    this.membership.forget(id);
    this.#registry.forgetRecorder(id);
    await this.#catalog.recorders.forget(id);
    await this.spreadChange();
  }

  /** The ids of recorders that may have footage, or have announced themselves, and are not there. */
  async missingRecorders(): Promise<string[]> {
    await this.#refresh();
    const known = new Set(this.#registry.knownRecorders());
    for (const keepers of this.#keepers.values()) for (const id of keepers.keys()) known.add(id);
    return [...known].filter((id) => this.#registry.findRecorder(id) === undefined).sort();
  }

  /** Who records the camera, or is to; undefined without any recorder. */
  ownerOf(camera: string): string | undefined {
    return this.#owners.get(camera);
  }

  /** How many cameras each recorder records, and of how many it may have footage. */
  counts(recorder: string): { cameras: number; kept: number } {
    const cameras = [...this.#owners.values()].filter((owner) => owner === recorder).length;
    const kept = [...this.#keepers.values()].filter((keepers) => keepers.has(recorder)).length;
    return { cameras, kept };
  }

  /**
   * Recorders that may have footage of a camera, each with the Unix milliseconds from which on; the
   * one that records it first, then the youngest.
   */
  async keepersOf(camera: string): Promise<Keeper[]> {
    if (!this.#keepers.has(camera)) await this.#lookAgain();
    const owner = this.#owners.get(camera);
    return [...(this.#keepers.get(camera) ?? [])]
      .map(([id, sinceUnixMs]) => ({ id, sinceUnixMs }))
      .sort((a, b) => {
        if (a.id === owner || b.id === owner) return a.id === owner ? -1 : 1;
        return b.sinceUnixMs - a.sinceUnixMs;
      });
  }

  /** The recorder that records a camera now. Throws `unavailable` when it is not there. */
  async recorderOf(camera: string): Promise<Peer> {
    const owner = this.#owners.get(camera) ?? (await this.keepersOf(camera))[0]?.id;
    if (owner === undefined) {
      throw new NightjarError('not-found', 'no recorder knows this camera', { camera });
    }
    const peer = this.#registry.findRecorder(owner);
    if (peer === undefined) {
      throw new NightjarError('unavailable', `recorder ${owner} does not answer`, { camera });
    }
    return peer;
  }

  async #trySettle(): Promise<void> {
    try {
      await this.#settle();
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'cameras could not be spread anew');
    }
  }

  /** Decides who shares; when that changed, the cameras follow. */
  async #settle(): Promise<void> {
    if (this.membership.settle().length > 0) this.#unsettled = true;
    if (!this.#unsettled) return;
    await this.#queued(async () => {
      if (!this.#unsettled) return;
      await this.#catalog.recorders.save(this.membership.list());
      const touched = await this.#assign();
      this.#unsettled = false;
      // Not waited for: one of them may be the one whose announcement is being answered.
      void this.#nudge(this.#registry.recorders().filter(({ id }) => touched.has(id)));
    });
  }

  /** Gives each camera to the recorder that its hash says; gives the recorders that got some. */
  async #assign(): Promise<Set<string>> {
    const sharing = this.membership.sharing();
    if (sharing.length === 0) return new Set();
    const table = this.#tableOf(sharing);
    const moves = new Map<string, string>();
    const left = new Map<string, string>();
    // Only who has the port can take what cameras push; without any, all are the same.
    const open = sharing.filter(({ id }) => this.#doors.get(id) === true);
    const pushTable = open.length === 0 ? table : new MaglevTable(open);
    // Right after its start the server does not know all: what is somewhere stays there.
    const allHeard = sharing.every(({ id }) => this.#doors.has(id));
    const shares = new Set(sharing.map(({ id }) => id));
    for (const [camera, { recorder, pushes }] of await this.#catalog.recorders.assignments()) {
      if (pushes && !allHeard && recorder !== undefined && shares.has(recorder)) continue;
      const wanted = (pushes ? pushTable : table).find(camera);
      if (wanted === undefined || wanted === recorder) continue;
      moves.set(camera, wanted);
      if (recorder !== undefined) left.set(camera, recorder);
    }
    if (moves.size === 0) return new Set();
    await this.#catalog.recorders.assign(moves);
    this.#log.info(
      { cameras: moves.size, recorders: sharing.map(({ id }) => id) },
      'cameras are spread anew',
    );
    this.#handOver(left);
    this.#invalidate();
    await this.#refresh();
    return new Set(moves.values());
  }

  /** The former recorders go on for a moment, and are then told to stop. */
  #handOver(left: ReadonlyMap<string, string>): void {
    const live = [...left].filter(([, from]) => this.#registry.findRecorder(from) !== undefined);
    for (const [camera, from] of live) this.#handedOver.set(camera, from);
    if (live.length === 0) return;
    const timer = this.#clock.after(HANDOVER_MS, () => {
      this.#handovers = this.#handovers.filter((other) => other !== timer);
      for (const [camera, from] of live) {
        if (this.#handedOver.get(camera) === from) this.#handedOver.delete(camera);
      }
      this.#invalidate();
      const former = new Set(live.map(([, from]) => from));
      void this.#nudge(this.#registry.recorders().filter(({ id }) => former.has(id)));
    });
    this.#handovers.push(timer);
  }

  #tableOf(sharing: readonly { id: string; weight: number }[]): MaglevTable {
    const key = JSON.stringify(sharing);
    if (this.#table?.key !== key) this.#table = { key, table: new MaglevTable(sharing) };
    return this.#table.table;
  }

  async #nudge(peers: readonly Peer[]): Promise<void> {
    await Promise.all(
      peers.map(async ({ id, client }) => {
        try {
          const deadlineMs = NUDGE_DEADLINE_MS;
          const signal = AbortSignal.timeout(deadlineMs);
          await client.json('/internal/refresh', { method: 'POST', deadlineMs, signal });
          // It has applied what it was sent before it answered.
          const versions = this.#versionsOf(id);
          if (versions.sent !== undefined) versions.running = versions.sent;
        } catch (error) {
          const reason = messageOf(error);
          this.#log.warn({ recorder: id, reason }, 'a recorder did not take a change yet');
        }
      }),
    );
  }

  async #configOf(recorder: string): Promise<RecorderConfig> {
    const nowMs = this.#clock.monotonicMs();
    const cached = this.#configs.get(recorder);
    if (cached !== undefined && nowMs - cached.atMs < CONFIG_CACHE_MS) return cached.config;
    const generation = this.#generation;
    const stillHas = [...this.#handedOver].filter(([, from]) => from === recorder);
    const also = new Set(stillHas.map(([camera]) => camera));
    const config = await this.#catalog.recorderConfig(recorder, also);
    // A change that came meanwhile must not be hidden behind what was read before it.
    if (generation === this.#generation) this.#configs.set(recorder, { config, atMs: nowMs });
    await this.#refresh();
    return config;
  }

  /** A hold counts when every recorder that may have such footage runs the newest configuration. */
  async #confirmHolds(): Promise<void> {
    const waiting = await this.#catalog.holds.unconfirmed();
    for (const hold of waiting) {
      const keepers = new Set(
        hold.cameras.flatMap((camera) => [...(this.#keepers.get(camera)?.keys() ?? [])]),
      );
      const confirmed = [...keepers].every((id) => {
        const config = this.#configs.get(id)?.config;
        return (
          config !== undefined &&
          this.#versions.get(id)?.running === config.version &&
          config.holds.some((held) => held.id === hold.id)
        );
      });
      if (confirmed) await this.#catalog.holds.confirm([hold.id]);
    }
  }

  #hearDoor(id: string, takesPushes: boolean): void {
    if (this.#doors.get(id) === takesPushes) return;
    this.#doors.set(id, takesPushes);
    this.#unsettled = true;
  }

  #versionsOf(id: string): Versions {
    const versions = this.#versions.get(id) ?? { running: undefined, sent: undefined };
    this.#versions.set(id, versions);
    return versions;
  }

  #invalidate(): void {
    this.#generation += 1;
    this.#configs.clear();
  }

  /** A camera may be younger than what is known, or may never have been. */
  #lookAgain(): Promise<void> {
    const atMs = this.#clock.monotonicMs();
    if (this.#lookup === undefined || atMs - this.#lookup.atMs >= UNKNOWN_MS) {
      this.#lookup = { atMs, done: this.#refresh() };
    }
    return this.#lookup.done;
  }

  async #refresh(): Promise<void> {
    try {
      const owners = await this.#catalog.recorders.assignments();
      this.#keepers = await this.#catalog.recorders.keepers();
      this.#owners = new Map(
        [...owners].flatMap(([camera, { recorder }]) =>
          recorder === undefined ? [] : [[camera, recorder]],
        ),
      );
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.catch(() => undefined).then(work);
    this.#working = done;
    return done;
  }
}

function isAway(error: unknown): boolean {
  return error instanceof NightjarError && error.code === 'unavailable';
}

function noRecorder(id: string): NightjarError {
  return new NightjarError('not-found', 'there is no such recorder', { recorder: id });
}
