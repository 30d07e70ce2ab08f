// Who is there: recorders and transcoders announce themselves, and are lost when they fall silent.

import { InternalClient, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Announce } from '#contract';

const LOST_AFTER_MS = 6000;
const WATCH_MS = 1000;

export interface Peer {
  readonly role: Announce['role'];
  readonly id: string;
  readonly url: string;
  readonly client: InternalClient;
}

interface KnownPeer extends Peer {
  heardMs: number;
  lost: boolean;
}

export interface RegistryListener {
  onLost?(peer: Peer): void;
  onBack?(peer: Peer): void;
}

export class RecorderRegistry {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #internalSecret: string;
  readonly #peers = new Map<string, KnownPeer>();
  readonly #watch: Timer;
  #listener: RegistryListener = {};

  constructor(o: { clock: Clock; log: Log; internalSecret: string }) {
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

  /** The recorders that live. */
  recorders(): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.role === 'recorder' && !peer.lost);
  }

  /** Recorders that announced themselves since this server started, the lost ones included. */
  knownRecorders(): string[] {
    return [...this.#peers.values()]
      .filter((peer) => peer.role === 'recorder')
      .map((peer) => peer.id);
  }

  /** Undefined while it is lost. */
  findRecorder(id: string): Peer | undefined {
    const peer = this.#peers.get(keyOf({ role: 'recorder', id }));
    return peer?.lost === false ? peer : undefined;
  }

  forgetRecorder(id: string): void {
    this.#peers.delete(keyOf({ role: 'recorder', id }));
  }

  hear(announce: Announce): void {
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

  #findLost(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const peer of this.#peers.values()) {
      if (peer.lost || nowMs - peer.heardMs < LOST_AFTER_MS) continue;
      peer.lost = true;
      this.#log.warn({ peerRole: peer.role, peer: peer.id }, 'a process is lost');
      this.#listener.onLost?.(peer);
    }
  }
}

function keyOf({ role, id }: Pick<Peer, 'role' | 'id'>): string {
  return `${role} ${id}`;
}
