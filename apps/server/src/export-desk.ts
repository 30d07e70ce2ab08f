// Exports: asked for by people, made by jobs, remembered by the catalog, fetched from the transcoder
// that made them.

import { messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { Request, Response } from 'express';
import type { Catalog, ExportOutcome, Page, StoredExport } from '#catalog';
import type { Export, ExportInput } from '#contract';
import type { JobView } from '#jobs';
import type { AuditDesk } from './audit-desk.js';
import type { EventDesk } from './event-desk.js';
import type { Principal } from './gatekeeper.js';
import { demandKnownCameras } from './hold-desk.js';
import type { JobDoor } from './job-door.js';
import type { MediaProxy } from './media-proxy.js';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const LOOK_MS = 2000;
/** A job that is not there this long after it was asked for was never written down. */
const ADOPT_MS = 60_000;

export class ExportDesk {
  readonly #catalog: Catalog;
  readonly #jobs: JobDoor;
  readonly #registry: RecorderRegistry;
  readonly #proxy: MediaProxy;
  readonly #sourceUrl: (camera: string) => Promise<string>;
  readonly #audit: AuditDesk;
  readonly #events: EventDesk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timer: Timer;
  #looking = false;

  constructor(o: {
    catalog: Catalog;
    jobs: JobDoor;
    registry: RecorderRegistry;
    proxy: MediaProxy;
    /** Where a camera's clips are to be had. */
    sourceUrl: (camera: string) => Promise<string>;
    audit: AuditDesk;
    events: EventDesk;
    clock: Clock;
    log: Log;
  }) {
    this.#catalog = o.catalog;
    this.#jobs = o.jobs;
    this.#registry = o.registry;
    this.#proxy = o.proxy;
    this.#sourceUrl = o.sourceUrl;
    this.#audit = o.audit;
    this.#events = o.events;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#timer = o.clock.every(LOOK_MS, () => void this.#look());
  }

  async start(input: ExportInput, by: Principal): Promise<Export> {
    await demandKnownCameras(this.#catalog, input.cameras);
    const names = await this.#catalog.cameras.names();
    const cameras = await Promise.all(
      [...new Set(input.cameras)].map(async (id) => ({
        id,
        name: names.get(id) ?? id,
        recorderUrl: await this.#sourceUrl(id),
      })),
    );
    const queue = await this.#jobs.queue();
    const made = await this.#catalog.exports.add(input, by.session.user.username);
    const { from, to } = exportOf(made);
    await this.#audit.record(by, {
      action: 'export.start',
      subject: made.id,
      detail: { cameras: made.cameras, from, to, rendition: made.rendition, note: made.note },
    });
    await queue.add(
      'exports',
      {
        cameras,
        fromUnixMs: made.fromUnixMs,
        toUnixMs: made.toUnixMs,
        rendition: made.rendition,
        ...(made.watermark === undefined ? {} : { watermark: made.watermark }),
        note: made.note,
        createdBy: made.createdBy,
        createdAtUnixMs: Date.parse(made.createdAt),
      },
      { id: made.id },
    );
    return exportOf(made);
  }

  async list(query: { limit: number; cursor?: string | undefined }): Promise<Page<Export>> {
    const page = await this.#catalog.exports.list(query);
    return { ...page, items: await Promise.all(page.items.map((made) => this.#view(made))) };
  }

  async get(id: string): Promise<Export> {
    return this.#view(await this.#catalog.exports.get(id));
  }

  /** Calls an unfinished export off; deletes a finished one with its file. */
  async remove(id: string, by: Principal): Promise<void> {
    const made = await this.#catalog.exports.get(id);
    if (made.outcome === undefined) {
      await (await this.#jobs.queue()).cancel('exports', id);
      await this.#finish(made, { state: 'cancelled' });
      await this.#audit.record(by, { action: 'export.cancel', subject: id });
      return;
    }
    if (made.outcome.state === 'done') {
      await this.#makerOf(made).client.json(`/internal/exports/${id}`, { method: 'DELETE' });
    }
    await (await this.#jobs.queue()).remove('exports', id);
    await this.#catalog.exports.remove(id);
    await this.#audit.record(by, { action: 'export.delete', subject: id });
  }

  /** Streams the ZIP; ranges pass through. Throws `failed-precondition` before it is done. */
  async file(
    id: string,
    call: { request: Request; response: Response; caller: Principal },
  ): Promise<void> {
    const made = await this.#catalog.exports.get(id);
    const state = made.outcome?.state ?? 'running';
    if (state !== 'done') {
      throw new NightjarError('failed-precondition', `expected a finished export, found ${state}`);
    }
    const name = `nightjar-${new Date(made.fromUnixMs).toISOString().replaceAll(/[:.]/g, '-')}.zip`;
    await this.#proxy.pass({
      ...call,
      peer: this.#makerOf(made),
      path: `/internal/exports/${id}/file`,
      onAccepted: async () => {
        call.response.setHeader('content-disposition', `attachment; filename="${name}"`);
        await this.#audit.record(call.caller, { action: 'export.download', subject: id });
      },
    });
  }

  close(): void {
    this.#timer.cancel();
  }

  #makerOf(made: StoredExport): Peer {
    const id = made.outcome?.transcoder;
    const maker = this.#registry.transcoders().find((peer) => peer.id === id);
    if (maker === undefined) {
      throw new NightjarError(
        'unavailable',
        `transcoder ${id ?? ''} has the file and is not there`,
      );
    }
    return maker;
  }

  async #view(made: StoredExport): Promise<Export> {
    if (made.outcome !== undefined) return exportOf(made);
    const job = await (await this.#jobs.queue()).find('exports', made.id);
    return exportOf(await this.#settle(made, job), job);
  }

  /** Writes down what came of a job that ended. */
  async #settle(made: StoredExport, job: JobView<'exports'> | undefined): Promise<StoredExport> {
    const isOld = this.#clock.nowUnixMs() - Date.parse(made.createdAt) > ADOPT_MS;
    const outcome = job === undefined && isOld ? LOST : outcomeOf(job);
    if (outcome === undefined) return made;
    await this.#finish(made, outcome);
    return { ...made, outcome };
  }

  async #finish(made: StoredExport, outcome: ExportOutcome): Promise<void> {
    if (!(await this.#catalog.exports.finish(made.id, outcome))) return;
    const words = { done: 'is ready', failed: 'failed', cancelled: 'was called off' };
    this.#events.notice({
      kind: 'export',
      message: `the export that ${made.createdBy} asked for ${words[outcome.state]}`,
    });
  }

  /** Finds exports that ended while nobody asked. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const made of await this.#catalog.exports.unfinished()) await this.#view(made);
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'exports could not be looked at');
    } finally {
      this.#looking = false;
    }
  }
}

const LOST: ExportOutcome = { state: 'failed', error: 'its job was lost; start it again' };

function outcomeOf(job: JobView<'exports'> | undefined): ExportOutcome | undefined {
  switch (job?.state) {
    case undefined:
    case 'waiting':
    case 'running':
      return undefined;
    case 'cancelled':
      return { state: 'cancelled' };
    case 'failed':
      return { state: 'failed', error: job?.failure?.message ?? 'the job failed' };
    case 'done':
      return {
        state: 'done',
        ...(job?.result === undefined
          ? {}
          : { sizeBytes: job.result.sizeBytes, transcoder: job.result.transcoder }),
      };
  }
}

function exportOf(made: StoredExport, job?: JobView<'exports'>): Export {
  const { outcome } = made;
  const running = job?.state === 'running' ? 'running' : 'waiting';
  const sizeBytes = outcome?.sizeBytes ?? job?.progress?.sizeBytes;
  return {
    id: made.id,
    state: outcome?.state ?? running,
    progress: outcome?.state === 'done' ? 1 : (job?.progress?.fraction ?? 0),
    cameras: made.cameras,
    from: new Date(made.fromUnixMs).toISOString(),
    to: new Date(made.toUnixMs).toISOString(),
    rendition: made.rendition,
    note: made.note,
    createdBy: made.createdBy,
    createdAt: made.createdAt,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(outcome?.error === undefined ? {} : { error: outcome.error }),
  };
}
