// The audit trail: who did what, when and with what outcome. Entries are added and never changed.

import type { Clock } from '#base';
import {
  recordedDeletionSchema,
  type AuditEntry,
  type Deletion,
  type RecordedDeletion,
} from '#contract';
import type { Database } from './database.js';
import type { Ids } from './ids.js';
import { newestFirst, type Page, type PageQuery } from './page.js';
import { auditEntity, settingEntity, type AuditRow } from './schema.js';

/** TypeORM's insert type refuses unknown values, though jsonb takes any. */
type AuditInsert = Omit<AuditRow, 'detail'> & { detail: object };

const DELETE_ACTION = 'footage.delete';

export interface AuditInput {
  /** A user name, or `system`. */
  readonly actor: string;
  readonly address?: string | undefined;
  /** `concept.verb`: `camera.change`, `session.login`. */
  readonly action: string;
  readonly subject?: string | undefined;
  readonly outcome?: 'ok' | 'denied' | 'failed' | undefined;
  /** Facts that explain the entry. Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

export class AuditTrail {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(o: { database: Database; clock: Clock; ids: Ids }) {
    this.#database = o.database;
    this.#clock = o.clock;
    this.#ids = o.ids;
  }

  async add(input: AuditInput): Promise<void> {
    const row = this.#row(input, this.#clock.nowUnixMs());
    await this.#database.table(auditEntity, (table) => table.insert(row));
  }

  list(query: PageQuery): Promise<Page<AuditEntry>> {
    return newestFirst(this.#database, auditEntity, query, entryOf);
  }

  /** Footage that went, as the recorders recorded it. */
  deletions(query: PageQuery): Promise<Page<RecordedDeletion>> {
    const where = { action: DELETE_ACTION };
    return newestFirst(this.#database, auditEntity, { ...query, where }, ({ id, detail }) => ({
      ...recordedDeletionSchema.omit({ id: true }).parse(detail),
      id,
    }));
  }

  /** How far `recorder`'s deletions have been taken over; undefined: not at all yet. */
  async deletionsCursor(recorder: string): Promise<string | undefined> {
    const row = await this.#database.table(settingEntity, (table) =>
      table.findOneBy({ key: cursorKey(recorder) }),
    );
    return typeof row?.value === 'string' ? row.value : undefined;
  }

  /**
   * Takes over a page of a recorder's deletions and the cursor behind it, in one transaction. A page
   * that comes twice leaves no second entry.
   */
  async addDeletions(
    recorder: string,
    deletions: readonly Deletion[],
    cursor?: string,
  ): Promise<void> {
    await this.#database.transaction(async (manager) => {
      if (deletions.length > 0) {
        const rows = deletions.map((deletion) => ({
          ...this.#row(
            {
              actor: 'system',
              action: DELETE_ACTION,
              subject: deletion.camera,
              detail: { recorder, ...deletion },
            },
            Date.parse(deletion.at),
          ),
          factKey: `deletion ${recorder} ${deletion.chunk} ${deletion.at}`,
        }));
        await manager
          .createQueryBuilder()
          .insert()
          .into(auditEntity)
          .values(rows)
          .orIgnore()
          .execute();
      }
      if (cursor !== undefined) {
        await manager
          .getRepository(settingEntity)
          .save({ key: cursorKey(recorder), value: cursor });
      }
    });
  }

  #row(input: AuditInput, atUnixMs: number): AuditInsert {
    return {
      id: this.#ids.next(),
      at: new Date(atUnixMs),
      actor: input.actor,
      address: input.address ?? null,
      action: input.action,
      subject: input.subject ?? null,
      outcome: input.outcome ?? 'ok',
      detail: { ...input.detail },
      factKey: null,
    };
  }
}

function cursorKey(recorder: string): string {
  return `deletions-cursor ${recorder}`;
}

function entryOf(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: row.actor,
    ...(row.address === null ? {} : { address: row.address }),
    action: row.action,
    ...(row.subject === null ? {} : { subject: row.subject }),
    outcome: row.outcome,
    detail: row.detail,
  };
}
