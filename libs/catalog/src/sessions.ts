// Sessions: random tokens of which only a digest is stored, with an expiry that use pushes on.

import { createHash, randomBytes } from 'node:crypto';
import { LessThan } from 'typeorm';
import type { Clock } from '#base';
import type { User } from '#contract';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { sessionEntity, userEntity } from './schema.js';
import { userOf } from './users.js';

const TOKEN_BYTES = 32;
const IDLE_MS = 24 * 3_600_000;
const LONGEST_MS = 30 * 24 * 3_600_000;
/** Use is written down at most this often. */
const TOUCH_MS = 60_000;

export interface Session {
  readonly id: string;
  readonly user: User;
  readonly expiresAtUnixMs: number;
}

export class Sessions {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  /** The token is told here and never again. Ends sessions that ran out. */
  async start(user: User, address?: string): Promise<{ token: string; session: Session }> {
    const nowMs = this.#clock.nowUnixMs();
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const id = this.#ids.next();
    const expiresAtUnixMs = nowMs + IDLE_MS;
    await this.#database.table(sessionEntity, async (table) => {
      await table.delete({ expiresAt: LessThan(new Date(nowMs)) });
      await table.insert({
        id,
        tokenHash: digestOf(token),
        userId: user.id,
        address: address ?? null,
        createdAt: new Date(nowMs),
        lastSeenAt: new Date(nowMs),
        expiresAt: new Date(expiresAtUnixMs),
      });
    });
    return { token, session: { id, user, expiresAtUnixMs } };
  }

  /** The live session of this token, its expiry pushed on; undefined when there is none. */
  async find(token: string): Promise<Session | undefined> {
    const tokenHash = digestOf(token);
    const nowMs = this.#clock.nowUnixMs();
    return this.#database.run(async (manager) => {
      const table = manager.getRepository(sessionEntity);
      const row = await table.findOneBy({ tokenHash });
      if (row === null || row.expiresAt.getTime() <= nowMs) return undefined;
      const user = await manager.getRepository(userEntity).findOneBy({ id: row.userId });
      if (user === null || user.disabled) return undefined;
      let expiresAtUnixMs = row.expiresAt.getTime();
      if (nowMs - row.lastSeenAt.getTime() >= TOUCH_MS) {
        expiresAtUnixMs = Math.min(nowMs + IDLE_MS, row.createdAt.getTime() + LONGEST_MS);
        await table.update(
          { id: row.id },
          { lastSeenAt: new Date(nowMs), expiresAt: new Date(expiresAtUnixMs) },
        );
      }
      return { id: row.id, user: userOf(user), expiresAtUnixMs };
    });
  }

  async end(id: string): Promise<void> {
    await this.#database.table(sessionEntity, (table) => table.delete({ id }));
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
