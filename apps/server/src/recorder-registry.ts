// Who is there: recorders and transcoders announce themselves, get their configuration in answer, and
// are lost when they fall silent.

import { InternalClient, messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Catalog } from '#catalog';
import type { Announce, AnnounceAnswer, RecorderConfig } from '#contract';

const LOST_AFTER_MS = 6000;
const WATCH_MS = 1000;
const NUDGE_DEADLINE_MS = 3000;
/** The catalog may also be changed by another program. */
const CONFIG_CACHE_MS = 10_000;

export interface Peer {
  readonly role: Announce['role'];
  readonly id: string;
  readonly url: string;
  readonly client: InternalClient;
}

interface KnownPeer extends Peer {
  configVersion: string | undefined;
  /** The version of the configuration that was last sent. */
  sentVersion: string | undefined;
  heardMs: number;
  lost: boolean;
}

export interface RegistryListener {
  onLost?(peer: Peer): void;
  onBack?(peer: Peer): void;
}

export class RecorderRegistry {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #internalSecret: string;
  readonly #peers = new Map<string, KnownPeer>();
  readonly #configs = new Map<string, { config: RecorderConfig; atMs: number }>();
  readonly #watch: Timer;
  #listener: RegistryListener = {};
  #generation = 0;
  /** Which recorder has which camera; as of the last time that the catalog answered. */
  #owners = new Map<string, string>();

  constructor(o: { catalog: Catalog; clock: Clock; log: Log; internalSecret: string }) {
    this.#catalog = o.catalog;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#internalSecret = o.internalSecret;
    this.#watch = o.clock.every(WATCH_MS, () => this.#findLost());
  }

  listen(listener: RegistryListener): void {
    this.#listener = listener;
  }

  close(): void {
    this.#watch.cancel();
  }

  /** Never fails for want of the catalog: a recorder keeps what it has and asks again. */
  async announce(announce: Announce): Promise<AnnounceAnswer> {
    this.#hear(announce);
    if (announce.role !== 'recorder') return {};
    try {
      const config = await this.#configOf(announce.id);
      if (config.version !== announce.configVersion) {
        const peer = this.#peers.get(keyOf(announce));
        if (peer !== undefined) peer.sentVersion = config.version;
        return { config };
      }
      await this.#confirmHolds();
    } catch (error) {
      if (!(error instanceof NightjarError) || error.code !== 'unavailable') throw error;
    }
    return {};
  }

  /**
   * Lets recorders fetch a changed configuration now. Returns when they have applied it, or after a
   * deadline: a recorder that is down fetches it when it is back.
   */
  async spreadChange(): Promise<void> {
    this.#generation += 1;
    this.#configs.clear();
    await this.#refreshOwners();
    await Promise.all(
      this.recorders().map(async ({ id, role, client }) => {
        try {
          const deadlineMs = NUDGE_DEADLINE_MS;
          const signal = AbortSignal.timeout(deadlineMs);
          await client.json('/internal/refresh', { method: 'POST', deadlineMs, signal });
          // It has applied what it was sent before it answered.
          const peer = this.#peers.get(keyOf({ role, id }));
          if (peer?.sentVersion !== undefined) peer.configVersion = peer.sentVersion;
        } catch (error) {
          const reason = messageOf(error);
          this.#log.warn({ recorder: id, reason }, 'a recorder did not take a change yet');
        }
      }),
    );
    await this.#confirmHolds();
  }

  /** The recorders that live. */
  recorders(): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.role === 'recorder' && !peer.lost);
  }

  /** The ids of recorders that have cameras, or have announced themselves, and are not there. */
  async missingRecorders(): Promise<string[]> {
    await this.#refreshOwners();
    const known = new Set(this.#owners.values());
    for (const peer of this.#peers.values()) if (peer.role === 'recorder') known.add(peer.id);
    const live = new Set(this.recorders().map((peer) => peer.id));
    return [...known].filter((id) => !live.has(id)).sort();
  }

  /** These cameras by the recorder that has them, lost ones included; unknown cameras are left out. */
  async camerasByRecorder(cameras: readonly string[]): Promise<Map<string, string[]>> {
    if (cameras.some((camera) => !this.#owners.has(camera))) await this.#refreshOwners();
    const groups = new Map<string, string[]>();
    for (const camera of new Set(cameras)) {
      const owner = this.#owners.get(camera);
      if (owner !== undefined) groups.set(owner, [...(groups.get(owner) ?? []), camera]);
    }
    return groups;
  }

  /** The recorder that has a camera's footage. Throws `unavailable` when it is not there. */
  async recorderOf(camera: string): Promise<Peer> {
    if (!this.#owners.has(camera)) await this.#refreshOwners();
    const owner = this.#owners.get(camera);
    if (owner === undefined) {
      throw new NightjarError('not-found', 'no recorder knows this camera', { camera });
    }
    const peer = this.recorders().find((candidate) => candidate.id === owner);
    if (peer === undefined) {
      throw new NightjarError('unavailable', `recorder ${owner} does not answer`, { camera });
    }
    return peer;
  }

  /** The transcoders that live, by id. */
  transcoders(): Peer[] {
    return [...this.#peers.values()]
      .filter((peer) => peer.role === 'transcoder' && !peer.lost)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The same transcoder for a camera while none comes or goes. Throws `unavailable` without any. */
  transcoderFor(camera: string): Peer {
    const live = this.transcoders();
    let sum = 0;
    for (const letter of camera) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
    const peer = live[sum % Math.max(1, live.length)];
    if (peer === undefined) throw new NightjarError('unavailable', 'no transcoder is there');
    return peer;
  }

  #hear(announce: Announce): void {
    const key = keyOf(announce);
    const before = this.#peers.get(key);
    const client =
      before?.url === announce.url
        ? before.client
        : new InternalClient(announce.url, this.#internalSecret);
    const peer: KnownPeer = {
      role: announce.role,
      id: announce.id,
      url: client.baseUrl,
      client,
      configVersion: announce.configVersion,
      sentVersion: before?.sentVersion,
      heardMs: this.#clock.monotonicMs(),
      lost: false,
    };
    this.#peers.set(key, peer);
    if (before === undefined) {
      this.#log.info(
        { peerRole: peer.role, peer: peer.id, url: peer.url },
        'a process announced itself',
      );
    } else if (before.lost) {
      this.#log.info(
        { peerRole: peer.role, peer: peer.id, url: peer.url },
        'a lost process is back',
      );
      this.#listener.onBack?.(peer);
    }
  }

  #findLost(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const peer of this.#peers.values()) {
      if (peer.lost || nowMs - peer.heardMs < LOST_AFTER_MS) continue;
      peer.lost = true;
      this.#log.warn({ peerRole: peer.role, peer: peer.id }, 'a process is lost');
      this.#listener.onLost?.(peer);
    }
  }

  async #configOf(recorder: string): Promise<RecorderConfig> {
    const nowMs = this.#clock.monotonicMs();
    const cached = this.#configs.get(recorder);
    if (cached !== undefined && nowMs - cached.atMs < CONFIG_CACHE_MS) return cached.config;
    const generation = this.#generation;
    await this.#catalog.cameras.claim(recorder);
    const config = await this.#catalog.recorderConfig(recorder);
    // A change that came meanwhile must not be hidden behind what was read before it.
    if (generation === this.#generation) this.#configs.set(recorder, { config, atMs: nowMs });
    await this.#refreshOwners();
    return config;
  }

  /** A hold counts when every recorder that has cameras runs the newest configuration. */
  async #confirmHolds(): Promise<void> {
    const waiting = await this.#catalog.holds.unconfirmed();
    if (waiting.length === 0) return;
    for (const hold of waiting) {
      const owners = new Set(hold.cameras.map((camera) => this.#owners.get(camera)));
      owners.delete(undefined);
      const confirmed = [...owners].every((owner) => {
        const peer = this.#peers.get(keyOf({ role: 'recorder', id: owner ?? '' }));
        const config = this.#configs.get(owner ?? '')?.config;
        return (
          peer !== undefined &&
          peer.configVersion === config?.version &&
          config?.holds.some((held) => held.id === hold.id)
        );
      });
      if (confirmed) await this.#catalog.holds.confirm([hold.id]);
    }
  }

  async #refreshOwners(): Promise<void> {
    try {
      this.#owners = await this.#catalog.cameras.recorders();
    } catch (error) {
      if (!(error instanceof NightjarError) || error.code !== 'unavailable') throw error;
    }
  }
}

function keyOf({ role, id }: Pick<Peer, 'role' | 'id'>): string {
  return `${role} ${id}`;
}
