// The recorders: who shares the cameras, who is to record which, and who may have footage of which.

import { In, IsNull } from 'typeorm';
import type { Clock } from '#base';
import type { Database } from './database.js';
import { PUSH } from '#contract';
import { cameraEntity, keeperEntity, recorderEntity } from './schema.js';

/** A recorder that announced itself at least once. */
export interface StoredRecorder {
  readonly id: string;
  /** Its share against the others; 0 keeps footage only. */
  readonly weight: number;
  /** An administrator took its cameras away. */
  readonly drained: boolean;
  /** Whether cameras are given to it. */
  readonly sharing: boolean;
}

/** Who is to record a camera. */
export interface Assignment {
  readonly recorder?: string;
  /** It calls us. */
  readonly pushes: boolean;
}

export class Recorders {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(o: { database: Database; clock: Clock }) {
    this.#database = o.database;
    this.#clock = o.clock;
  }

  async list(): Promise<StoredRecorder[]> {
    const rows = await this.#database.table(recorderEntity, (table) =>
      table.find({ order: { id: 'ASC' } }),
    );
    return rows.map(({ id, weight, drained, sharing }) => ({ id, weight, drained, sharing }));
  }

  async save(recorders: readonly StoredRecorder[]): Promise<void> {
    if (recorders.length === 0) return;
    const createdAt = new Date(this.#clock.nowUnixMs());
    await this.#database.table(recorderEntity, (table) =>
      table
        .createQueryBuilder()
        .insert()
        .values(recorders.map((recorder) => ({ ...recorder, createdAt })))
        .orUpdate(['weight', 'drained', 'sharing'], ['id'])
        .execute(),
    );
  }

  /** Its footage counts as gone: nobody asks for it any more. */
  async forget(id: string): Promise<void> {
    await this.#database.transaction(async (manager) => {
      await manager.getRepository(recorderEntity).delete({ id });
      await manager.getRepository(keeperEntity).delete({ recorder: id });
      await manager.getRepository(cameraEntity).update({ recorder: id }, { recorder: null });
    });
  }

  /** Every camera that is to be recorded, and by whom. */
  async assignments(): Promise<Map<string, Assignment>> {
    const rows = await this.#database.table(cameraEntity, (table) =>
      table.find({
        select: { id: true, recorder: true, mainUrl: true, subUrl: true },
        where: { removedAt: IsNull() },
      }),
    );
    return new Map(
      rows.map(({ id, recorder, mainUrl, subUrl }) => [
        id,
        {
          ...(recorder === null ? {} : { recorder }),
          pushes: mainUrl === PUSH || subUrl === PUSH,
        },
      ]),
    );
  }

  /** Gives cameras to recorders; from then on those may have footage of them. */
  async assign(moves: ReadonlyMap<string, string>): Promise<void> {
    const since = new Date(this.#clock.nowUnixMs());
    const byRecorder = new Map<string, string[]>();
    for (const [camera, recorder] of moves) {
      byRecorder.set(recorder, [...(byRecorder.get(recorder) ?? []), camera]);
    }
    await this.#database.transaction(async (manager) => {
      for (const [recorder, cameras] of byRecorder) {
        await manager.getRepository(cameraEntity).update({ id: In(cameras) }, { recorder });
        await manager
          .getRepository(keeperEntity)
          .createQueryBuilder()
          .insert()
          .values(cameras.map((camera) => ({ camera, recorder, since })))
          .orIgnore()
          .execute();
      }
    });
  }

  /** By camera, removed ones included: who may have footage of it, and since when at the earliest. */
  async keepers(): Promise<Map<string, Map<string, number>>> {
    const rows = await this.#database.table(keeperEntity, (table) => table.find());
    const keepers = new Map<string, Map<string, number>>();
    for (const { camera, recorder, since } of rows) {
      const of = keepers.get(camera) ?? new Map<string, number>();
      keepers.set(camera, of.set(recorder, since.getTime()));
    }
    return keepers;
  }
}
