// The people who may enter, and the rule that an administrator always remains.

import { isUuid, NightjarError, type Clock } from '#base';
import type { Role, User, UserInput, UserPatch } from '#contract';
import type { EntityManager } from 'typeorm';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { hashPassword, verifyPassword } from './passwords.js';
import { sessionEntity, userEntity, type UserRow } from './schema.js';

/** Any number: makes changes of users wait for each other, so that two cannot race past a rule. */
const USERS_LOCK = 0x75_73_65_72;

export class Users {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  async list(): Promise<User[]> {
    const rows = await this.#database.table(userEntity, (table) =>
      table.find({ order: { usernameKey: 'ASC' } }),
    );
    return rows.map(userOf);
  }

  count(): Promise<number> {
    return this.#database.table(userEntity, (table) => table.count());
  }

  async find(id: string): Promise<User | undefined> {
    if (!isUuid(id)) return undefined;
    const row = await this.#database.table(userEntity, (table) => table.findOneBy({ id }));
    return row === null ? undefined : userOf(row);
  }

  /** Throws `conflict` when the name is taken. */
  async add(input: UserInput): Promise<User> {
    const passwordHash = await hashPassword(input.password);
    return this.#locked((manager) => this.#insert(manager, input, passwordHash));
  }

  /** Adds the first administrator. Throws `failed-precondition` when there is a user already. */
  async addFirst(username: string, password: string): Promise<User> {
    const passwordHash = await hashPassword(password);
    return this.#locked(async (manager) => {
      if ((await manager.getRepository(userEntity).count()) > 0) {
        throw new NightjarError('failed-precondition', 'Nightjar is set up already');
      }
      return this.#insert(manager, { username, role: 'admin' }, passwordHash);
    });
  }

  /**
   * The user whose name and password these are; undefined otherwise, a disabled user included. Takes
   * as long for an unknown name as for a wrong password.
   */
  async authenticate(username: string, password: string): Promise<User | undefined> {
    const row = await this.#database.table(userEntity, (table) =>
      table.findOneBy({ usernameKey: usernameKeyOf(username) }),
    );
    const matches = await verifyPassword(row?.passwordHash, password);
    if (row === null || !matches || row.disabled) return undefined;
    const lastLoginAt = new Date(this.#clock.nowUnixMs());
    await this.#database.table(userEntity, (table) =>
      table.update({ id: row.id }, { lastLoginAt }),
    );
    return userOf({ ...row, lastLoginAt });
  }

  /**
   * A change of role, password or state ends the user's sessions. Throws `not-found`, and
   * `failed-precondition` when no administrator would be left.
   */
  async change(id: string, patch: UserPatch): Promise<User> {
    const passwordHash =
      patch.password === undefined ? undefined : await hashPassword(patch.password);
    return this.#locked(async (manager) => {
      const row = await getRow(manager, id);
      const changed: UserRow = {
        ...row,
        role: patch.role ?? row.role,
        disabled: patch.disabled ?? row.disabled,
        passwordHash: passwordHash ?? row.passwordHash,
      };
      if (!isAdministrator(changed)) await demandAnotherAdministrator(manager, row);
      await manager.getRepository(userEntity).save(changed);
      if (
        passwordHash !== undefined ||
        changed.role !== row.role ||
        changed.disabled !== row.disabled
      ) {
        await manager.getRepository(sessionEntity).delete({ userId: id });
      }
      return userOf(changed);
    });
  }

  /** Ends the user's sessions, too. Throws as `change` does. */
  async remove(id: string): Promise<User> {
    return this.#locked(async (manager) => {
      const row = await getRow(manager, id);
      await demandAnotherAdministrator(manager, row);
      await manager.getRepository(userEntity).delete({ id });
      return userOf(row);
    });
  }

  #locked<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [USERS_LOCK]);
      return work(manager);
    });
  }

  async #insert(
    manager: EntityManager,
    input: { username: string; role: Role },
    passwordHash: string,
  ): Promise<User> {
    const usernameKey = usernameKeyOf(input.username);
    const table = manager.getRepository(userEntity);
    if (await table.existsBy({ usernameKey })) {
      throw new NightjarError('conflict', 'username: expected a new one, found one in use');
    }
    const row: UserRow = {
      id: this.#ids.next(),
      username: input.username,
      usernameKey,
      role: input.role,
      passwordHash,
      disabled: false,
      createdAt: new Date(this.#clock.nowUnixMs()),
      lastLoginAt: null,
    };
    await table.insert(row);
    return userOf(row);
  }
}

/** Names that look the same are the same. */
function usernameKeyOf(username: string): string {
  return username.trim().normalize('NFKC').toLowerCase();
}

function isAdministrator(row: UserRow): boolean {
  return row.role === 'admin' && !row.disabled;
}

async function demandAnotherAdministrator(manager: EntityManager, row: UserRow): Promise<void> {
  if (!isAdministrator(row)) return;
  const count = await manager.getRepository(userEntity).countBy({ role: 'admin', disabled: false });
  if (count < 2) {
    throw new NightjarError(
      'failed-precondition',
      'expected another administrator to remain, found none',
    );
  }
}

async function getRow(manager: EntityManager, id: string): Promise<UserRow> {
  const row = isUuid(id) ? await manager.getRepository(userEntity).findOneBy({ id }) : null;
  if (row === null) throw new NightjarError('not-found', 'there is no such user', { user: id });
  return row;
}

export function userOf(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    role: row.role,
    disabled: row.disabled,
    createdAt: row.createdAt.toISOString(),
    ...(row.lastLoginAt === null ? {} : { lastLoginAt: row.lastLoginAt.toISOString() }),
  };
}
