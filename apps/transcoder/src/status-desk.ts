// What does the work, how much of it there is, what is kept.

import type { Transcoder, TranscoderStatus } from '#transcode';
import type { ExportWorker } from './export-worker.js';
import type { RenditionCache, RenditionCacheStatus } from './rendition-cache.js';
import type { RenditionDesk } from './rendition-desk.js';

export interface TranscoderState {
  readonly transcoder: { readonly id: string; readonly startedAt: string };
  readonly transcodes: TranscoderStatus;
  readonly slices: { readonly running: number };
  readonly cache: RenditionCacheStatus;
  readonly exports: { readonly running: number; readonly queue: 'none' | 'away' | 'there' };
}

export interface StatusDeskParts {
  readonly id: string;
  readonly startedAtUnixMs: number;
  readonly transcoder: Transcoder;
  readonly cache: RenditionCache;
  readonly renditions: RenditionDesk;
  readonly worker: ExportWorker | undefined;
}

export class StatusDesk {
  readonly #parts: StatusDeskParts;

  constructor(parts: StatusDeskParts) {
    this.#parts = parts;
  }

  state(): TranscoderState {
    const { id, startedAtUnixMs, transcoder, cache, renditions, worker } = this.#parts;
    const queue = worker === undefined ? 'none' : worker.connected ? 'there' : 'away';
    return {
      transcoder: { id, startedAt: new Date(startedAtUnixMs).toISOString() },
      transcodes: transcoder.status,
      slices: { running: renditions.running },
      cache: cache.status,
      exports: { running: worker?.running ?? 0, queue },
    };
  }
}
