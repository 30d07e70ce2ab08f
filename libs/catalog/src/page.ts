// Pages of newest-first lists: the cursor is the last id of a page, and ids sort by time.

import type { EntitySchema } from 'typeorm';
import { LessThan, type FindOptionsOrder, type FindOptionsWhere } from 'typeorm';
import { isUuid, NightjarError } from '#base';
import type { Database } from './database.js';

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  /** Present when there is more. */
  readonly cursor?: string;
}

/** Throws `invalid-argument` for a cursor that this did not give out. */
export async function newestFirst<Row extends { id: string }, T>(
  database: Database,
  entity: EntitySchema<Row>,
  query: PageQuery & { readonly where?: FindOptionsWhere<Row> },
  valueOf: (row: Row) => T,
): Promise<Page<T>> {
  if (query.cursor !== undefined && !isUuid(query.cursor)) {
    throw new NightjarError('invalid-argument', 'cursor: expected one from an earlier page');
  }
  const where = query.cursor === undefined ? {} : { id: LessThan(query.cursor) };
  const rows = await database.table(entity, (table) =>
    table.find({
      where: { ...query.where, ...where } as FindOptionsWhere<Row>,
      order: { id: 'DESC' } as FindOptionsOrder<Row>,
      take: query.limit + 1,
    }),
  );
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  return {
    items: items.map(valueOf),
    ...(rows.length > query.limit && last !== undefined ? { cursor: last.id } : {}),
  };
}
