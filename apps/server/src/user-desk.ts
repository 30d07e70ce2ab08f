// Changes of users, as one step: the catalog, their sessions and connections, the audit trail.

import type { Catalog } from '#catalog';
import type { User, UserInput, UserPatch } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import type { Connections } from './connections.js';
import type { Gatekeeper, Principal } from './gatekeeper.js';

export class UserDesk {
  readonly #catalog: Catalog;
  readonly #gatekeeper: Gatekeeper;
  readonly #connections: Connections;
  readonly #audit: AuditDesk;

  constructor(o: {
    catalog: Catalog;
    gatekeeper: Gatekeeper;
    connections: Connections;
    audit: AuditDesk;
  }) {
    this.#catalog = o.catalog;
    this.#gatekeeper = o.gatekeeper;
    this.#connections = o.connections;
    this.#audit = o.audit;
  }

  async add(input: UserInput, by: Principal): Promise<User> {
    const user = await this.#catalog.users.add(input);
    await this.#audit.record(by, {
      action: 'user.add',
      subject: user.id,
      detail: { username: user.username, role: user.role },
    });
    return user;
  }

  async change(id: string, patch: UserPatch, by: Principal): Promise<User> {
    const user = await this.#catalog.users.change(id, patch);
    await this.#endSessions();
    await this.#audit.record(by, {
      action: 'user.change',
      subject: id,
      detail: { username: user.username, role: user.role, fields: Object.keys(patch) },
    });
    return user;
  }

  async remove(id: string, by: Principal): Promise<void> {
    const user = await this.#catalog.users.remove(id);
    await this.#endSessions();
    await this.#audit.record(by, {
      action: 'user.remove',
      subject: id,
      detail: { username: user.username },
    });
  }

  async #endSessions(): Promise<void> {
    this.#gatekeeper.forget();
    await this.#connections.check();
  }
}
