// What exists when, over all recorders: timelines, motion and storage, merged into one answer.

import type { Clock } from '#base';
import {
  motionAnswerSchema,
  storageSchema,
  timelineSchema,
  type MotionAnswer,
  type MotionQuery,
  type Storage,
  type TimelineAnswer,
  type TimelineQuery,
} from '#contract';
import type { CameraSpread } from './camera-spread.js';
import {
  missingFrom,
  planFootage,
  tellStory,
  type CameraTimeline,
  type FootagePiece,
} from './footage-story.js';
import { mergeNewestFirst, pageOf, readCursor, writeCursor } from './motion-pages.js';
import type { RecorderFanOut } from './recorder-fan-out.js';
import { addUpStorage } from './storage-sum.js';

export interface FootagePlan {
  readonly pieces: readonly FootagePiece[];
  readonly missing: ReturnType<typeof missingFrom>;
  readonly unavailable: readonly string[];
}

interface Telling {
  readonly recorder: string;
  readonly camera: CameraTimeline;
}

export class FootageIndex {
  readonly #fanOut: RecorderFanOut;
  readonly #spread: CameraSpread;
  readonly #clock: Clock;

  constructor(o: { fanOut: RecorderFanOut; spread: CameraSpread; clock: Clock }) {
    this.#fanOut = o.fanOut;
    this.#spread = o.spread;
    this.#clock = o.clock;
  }

  /** Every camera that was asked for is in the answer, in that order. */
  async timeline(query: TimelineQuery): Promise<TimelineAnswer> {
    const { told, unavailable } = await this.#told(query);
    const cameras = [...new Set(query.cameras)].map(async (id) =>
      tellStory({
        ...{ id, from: query.from, to: query.to, now: this.#clock.nowUnixMs() },
        told: (told.get(id) ?? []).map(({ camera }) => camera),
        awaySince: await this.#awaySince(id, unavailable),
      }),
    );
    return { cameras: await Promise.all(cameras), ...unavailableOf(unavailable) };
  }

  /** Who plays which stretch of the period, and what is missing in it. */
  async plan(camera: string, period: { from: number; to: number }): Promise<FootagePlan> {
    const { told, unavailable } = await this.#told({ ...period, cameras: [camera] });
    const tellings = told.get(camera) ?? [];
    const own = tellings.map((telling) => telling.camera);
    const now = this.#clock.nowUnixMs();
    const awaySince = await this.#awaySince(camera, unavailable);
    const story = tellStory({ ...period, id: camera, now, told: own, awaySince });
    return {
      pieces: planFootage(tellings, period),
      missing: missingFrom(own, story, { ...period, now }),
      unavailable,
    };
  }

  /** Newest first over all recorders. A page may be short of `limit` and still have a cursor. */
  async motion(query: MotionQuery): Promise<MotionAnswer> {
    const places = query.cursor === undefined ? undefined : readCursor(query.cursor);
    const { from, to, region, minLevel, limit } = query;
    const { answers, unavailable } = await this.#fanOut.askKeepers(
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
    const ownerOf = (camera: string) => this.#spread.ownerOf(camera);
    const storage = addUpStorage(answers, ownerOf, this.#clock.nowUnixMs());
    return { ...storage, ...unavailableOf(unavailable) };
  }

  /** By camera, what each of its recorders tells; the one that records it first. */
  async #told(
    query: TimelineQuery,
  ): Promise<{ told: Map<string, Telling[]>; unavailable: string[] }> {
    const { from, to } = query;
    const { answers, unavailable } = await this.#fanOut.askKeepers(
      query.cameras,
      (cameras) => `/internal/timeline?${searchOf({ cameras, from, to })}`,
      (body) => timelineSchema.parse(body),
    );
    const told = new Map<string, Telling[]>();
    for (const { recorder, answer } of answers) {
      for (const camera of answer.cameras) {
        const isOwner = this.#spread.ownerOf(camera.id) === recorder;
        const others = told.get(camera.id) ?? [];
        const telling = { recorder, camera };
        told.set(camera.id, isOwner ? [telling, ...others] : [...others, telling]);
      }
    }
    return { told, unavailable };
  }

  /** From when on one of those who did not answer may have footage of the camera. */
  async #awaySince(camera: string, unavailable: readonly string[]): Promise<number | undefined> {
    if (unavailable.length === 0) return undefined;
    const away = (await this.#spread.keepersOf(camera)).filter(({ id }) =>
      unavailable.includes(id),
    );
    return away.length === 0 ? undefined : Math.min(...away.map((keeper) => keeper.sinceUnixMs));
  }
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
