// Pages of several recorders as one list, newest first, and the cursor that says where each goes on.

import { z } from 'zod';
import { NightjarError } from '#base';
import type { MotionAnswer, MotionEvent } from '#contract';

/** Where a recorder's list goes on: its own cursor, and the last event taken from the page behind it. */
interface Place {
  readonly cursor?: string | undefined;
  readonly last?: { readonly id: string; readonly from: string } | undefined;
}

interface RecorderPage {
  readonly recorder: string;
  readonly items: MotionEvent[];
  /** The cursor that gave this page, and the one behind it. */
  readonly cursor: string | undefined;
  readonly nextCursor: string | undefined;
  readonly last: Place['last'];
}

export function pageOf(
  recorder: string,
  answer: MotionAnswer,
  places: ReadonlyMap<string, Place> | undefined,
): RecorderPage {
  const place = places?.get(recorder);
  return {
    recorder,
    items: itemsAfter(answer.items, place?.last),
    cursor: place?.cursor,
    nextCursor: answer.cursor,
    last: place?.last,
  };
}

/** What comes behind `last`; newer events that came meanwhile are left out with it. */
function itemsAfter(items: MotionEvent[], last: Place['last']): MotionEvent[] {
  if (last === undefined) return items;
  const index = items.findIndex((item) => item.id === last.id);
  return index >= 0 ? items.slice(index + 1) : items.filter((item) => item.from < last.from);
}

/** Takes the newest of all pages until one page is used up and has more behind it. */
export function mergeNewestFirst(
  pages: readonly RecorderPage[],
  limit: number,
): { items: MotionEvent[]; rest: Map<string, Place> } {
  const items: MotionEvent[] = [];
  const taken = new Map(pages.map((page) => [page, 0]));
  const nextOf = (page: RecorderPage) => page.items[taken.get(page) ?? 0];
  while (items.length < limit) {
    if (pages.some((page) => nextOf(page) === undefined && page.nextCursor !== undefined)) break;
    const [newest] = pages
      .filter((page) => nextOf(page) !== undefined)
      .sort((a, b) => ((nextOf(a)?.from ?? '') > (nextOf(b)?.from ?? '') ? -1 : 1));
    const item = newest === undefined ? undefined : nextOf(newest);
    if (newest === undefined || item === undefined) break;
    items.push(item);
    taken.set(newest, (taken.get(newest) ?? 0) + 1);
  }
  const rest = new Map<string, Place>();
  for (const page of pages) {
    const count = taken.get(page) ?? 0;
    if (count < page.items.length) {
      const lastItem = page.items[count - 1];
      const last = lastItem === undefined ? page.last : { id: lastItem.id, from: lastItem.from };
      rest.set(page.recorder, { cursor: page.cursor, last });
    } else if (page.nextCursor !== undefined) {
      rest.set(page.recorder, { cursor: page.nextCursor });
    }
  }
  return { items, rest };
}

const cursorSchema = z.array(
  z.tuple([z.string(), z.string().nullable(), z.tuple([z.string(), z.string()]).nullable()]),
);

export function writeCursor(places: ReadonlyMap<string, Place>): string {
  const rows = [...places].map(([recorder, { cursor, last }]) => [
    recorder,
    cursor ?? null,
    last === undefined ? null : [last.id, last.from],
  ]);
  return Buffer.from(JSON.stringify(rows)).toString('base64url');
}

/** Throws `invalid-argument`. */
export function readCursor(text: string): Map<string, Place> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    json = undefined;
  }
  const rows = cursorSchema.safeParse(json);
  if (!rows.success) {
    throw new NightjarError('invalid-argument', 'cursor: expected one from an earlier page');
  }
  return new Map(
    rows.data.map(([recorder, cursor, last]) => [
      recorder,
      {
        cursor: cursor ?? undefined,
        last: last === null ? undefined : { id: last[0], from: last[1] },
      },
    ]),
  );
}
