// What exists when, over all recorders: timelines, motion and storage, merged into one answer.

import { z } from 'zod';
import { NightjarError } from '#base';
import {
  motionAnswerSchema,
  storageSchema,
  timelineSchema,
  type MotionAnswer,
  type MotionEvent,
  type MotionQuery,
  type Storage,
  type TimelineAnswer,
  type TimelineQuery,
} from '#contract';
import type { RecorderFanOut } from './recorder-fan-out.js';

const MOST_NEXT_DELETIONS = 100;

export class FootageIndex {
  readonly #fanOut: RecorderFanOut;

  constructor(fanOut: RecorderFanOut) {
    this.#fanOut = fanOut;
  }

  /** Every camera that was asked for is in the answer, in that order. */
  async timeline(query: TimelineQuery): Promise<TimelineAnswer> {
    const { from, to } = query;
    const { answers, unavailable } = await this.#fanOut.askOwners(
      query.cameras,
      (cameras) => `/internal/timeline?${searchOf({ cameras, from, to })}`,
      (body) => timelineSchema.parse(body),
    );
    const found = new Map(
      answers.flatMap(({ answer }) => answer.cameras.map((camera) => [camera.id, camera])),
    );
    const cameras = [...new Set(query.cameras)].map(
      (id) => found.get(id) ?? { id, recordings: [], motion: [], gaps: [] },
    );
    return { cameras, ...unavailableOf(unavailable) };
  }

  /** Newest first over all recorders. A page may be short of `limit` and still have a cursor. */
  async motion(query: MotionQuery): Promise<MotionAnswer> {
    const places = query.cursor === undefined ? undefined : readCursor(query.cursor);
    const { from, to, region, minLevel, limit } = query;
    const { answers, unavailable } = await this.#fanOut.askOwners(
      query.cameras,
      (cameras, recorder) => {
        // A recorder that is not in the cursor has nothing more.
        if (places !== undefined && !places.has(recorder)) return undefined;
        const cursor = places?.get(recorder)?.cursor;
        return `/internal/motion?${searchOf({ cameras, from, to, region, minLevel, limit, cursor })}`;
      },
      (body) => motionAnswerSchema.parse(body),
    );
    const pages = answers.map(({ recorder, answer }) => pageOf(recorder, answer, places));
    const { items, rest } = mergeNewestFirst(pages, limit);
    return {
      items,
      ...(rest.size === 0 ? {} : { cursor: writeCursor(rest) }),
      ...unavailableOf(unavailable),
    };
  }

  async storage(): Promise<Storage> {
    const { answers, unavailable } = await this.#fanOut.askAll('/internal/storage', (body) =>
      storageSchema.parse(body),
    );
    const parts = answers.map(({ answer }) => answer);
    const days = parts.flatMap((part) => (part.daysLeft === undefined ? [] : [part.daysLeft]));
    const most = (pick: (part: Storage) => number) => Math.max(0, ...parts.map(pick));
    return {
      disks: parts.flatMap((part) => part.disks),
      watermarks: {
        lowBytes: most((part) => part.watermarks.lowBytes),
        criticalBytes: most((part) => part.watermarks.criticalBytes),
        stopBytes: most((part) => part.watermarks.stopBytes),
      },
      cameras: parts.flatMap((part) => part.cameras),
      // The first disk to fill up is the one to know of.
      ...(days.length === 0 ? {} : { daysLeft: Math.min(...days) }),
      nextDeletions: parts
        .flatMap((part) => part.nextDeletions)
        .sort((a, b) => (a.at < b.at ? -1 : 1))
        .slice(0, MOST_NEXT_DELETIONS),
      scrubs: parts.flatMap((part) => part.scrubs),
      ...unavailableOf(unavailable),
    };
  }
}

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

function pageOf(
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
function mergeNewestFirst(
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

function writeCursor(places: ReadonlyMap<string, Place>): string {
  const rows = [...places].map(([recorder, { cursor, last }]) => [
    recorder,
    cursor ?? null,
    last === undefined ? null : [last.id, last.from],
  ]);
  return Buffer.from(JSON.stringify(rows)).toString('base64url');
}

function readCursor(text: string): Map<string, Place> {
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

function searchOf(
  fields: Readonly<Record<string, string | number | readonly (string | number)[] | undefined>>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.toString();
}

function unavailableOf(unavailable: readonly string[]): { unavailable?: string[] } {
  return unavailable.length === 0 ? {} : { unavailable: [...unavailable].sort() };
}
