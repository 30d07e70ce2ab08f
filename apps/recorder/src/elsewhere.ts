// What other recorders hold of this one's cameras: asked of the server, without it of them directly,
// and where nobody answers as it was heard last, over restarts, too.

import { InternalClient, messageOf, type Clock, type Log } from '#base';
import { cameraSharesSchema, otherSharesSchema, type CameraShares } from '#contract';
import type { Elsewhere } from '#pipeline';
import type { Timeline } from '#timeline';

const KEY = 'retention/elsewhere';
const DEADLINE_MS = 2000;
/** A disk that is low makes retention run every few seconds. */
const FRESH_MS = 30_000;
const AT_ONCE = 200;

type Items = CameraShares['items'];

interface Other {
  url?: string | undefined;
  items: Items;
}

export interface ElsewhereOptions {
  /** Of this recorder. */
  readonly id: string;
  readonly serverUrl: string;
  readonly internalSecret: string;
  readonly timeline: Pick<Timeline, 'getSetting' | 'putSetting'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class ElsewhereBook {
  readonly #options: ElsewhereOptions;
  readonly #server: InternalClient;
  #others: Map<string, Other> | undefined;
  #askedMs = -Infinity;
  #asked = '';

  constructor(options: ElsewhereOptions) {
    this.#options = options;
    this.#server = new InternalClient(options.serverUrl, options.internalSecret);
  }

  /** By camera, each other recorder's share. Never rejects. */
  async ask(cameras: readonly string[]): Promise<Map<string, Elsewhere[]>> {
    const { clock, log } = this.#options;
    const others = (this.#others ??= await this.#load());
    const asked = [...cameras].sort().join();
    if (asked !== this.#asked || clock.monotonicMs() - this.#askedMs >= FRESH_MS) {
      try {
        if (!(await this.#askServer(cameras, others))) await this.#askOthers(cameras, others);
        await this.#save(others);
        this.#asked = asked;
        this.#askedMs = clock.monotonicMs();
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'what other recorders hold could not be kept');
      }
    }
    const wanted = new Set(cameras);
    const shares = new Map<string, Elsewhere[]>();
    for (const { camera, ...share } of [...others.values()].flatMap(({ items }) => items)) {
      if (wanted.has(camera)) shares.set(camera, [...(shares.get(camera) ?? []), share]);
    }
    return shares;
  }

  /** False when it does not answer. */
  async #askServer(cameras: readonly string[], others: Map<string, Other>): Promise<boolean> {
    const told = new Map<string, { url?: string | undefined; items: Items | undefined }>();
    for (const own of pagesOf(cameras)) {
      const query = new URLSearchParams({ cameras: own.join(), recorder: this.#options.id });
      const answer = otherSharesSchema.safeParse(
        await this.#json(this.#server, `/internal/camera-shares?${query}`),
      );
      if (!answer.success) return false;
      for (const { id, url, items } of answer.data.recorders) {
        const before = told.get(id);
        const more = items === undefined ? undefined : [...(before?.items ?? []), ...items];
        // A page that one did not answer makes what is known of it old.
        told.set(id, { url, items: before !== undefined && !before.items ? undefined : more });
      }
    }
    // One that the server does not name has nothing of them, or was given up by a person.
    for (const id of others.keys()) if (!told.has(id)) others.delete(id);
    for (const [id, { url, items }] of told) {
      const before = others.get(id);
      others.set(id, { url: url ?? before?.url, items: items ?? before?.items ?? [] });
    }
    return true;
  }

  async #askOthers(cameras: readonly string[], others: Map<string, Other>): Promise<void> {
    await Promise.all(
      [...others].map(async ([id, other]) => {
        if (other.url === undefined) return;
        const client = new InternalClient(other.url, this.#options.internalSecret);
        const items: Items = [];
        for (const own of pagesOf(cameras)) {
          const query = new URLSearchParams({ cameras: own.join() });
          const body = await this.#json(client, `/internal/camera-shares?${query}`);
          const answer = cameraSharesSchema.safeParse(body);
          if (!answer.success || answer.data.recorder !== id) return;
          items.push(...answer.data.items);
        }
        other.items = items;
      }),
    );
  }

  async #json(client: InternalClient, path: string): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      return await client.json(path, { deadlineMs: DEADLINE_MS, signal });
    } catch {
      // What was heard last holds.
      return undefined;
    }
  }

  async #load(): Promise<Map<string, Other>> {
    const bytes = await this.#options.timeline.getSetting(KEY);
    if (bytes === undefined) return new Map();
    return new Map(JSON.parse(Buffer.from(bytes).toString()) as [string, Other][]);
  }

  async #save(others: ReadonlyMap<string, Other>): Promise<void> {
    const bytes = others.size === 0 ? undefined : Buffer.from(JSON.stringify([...others]));
    await this.#options.timeline.putSetting(KEY, bytes);
  }
}

function pagesOf(cameras: readonly string[]): string[][] {
  const pages: string[][] = [];
  for (let at = 0; at < cameras.length; at += AT_ONCE) pages.push(cameras.slice(at, at + AT_ONCE));
  return pages;
}
