// Makes one export: fetches every camera's clip, brings it to its rendition, packs, signs, and leaves
// either the whole file or none.

import { NightjarError, toNightjarError, type Clock } from '#base';
import type { ExportJobData, ExportJobResult, JobContext } from '#jobs';
import { readFmp4Stream, type Fmp4Piece, type Transcoder } from '#transcode';
import { ExportArchive, diskError } from './export-archive.js';
import type { ExportKey } from './export-key.js';
import {
  fileNameOf,
  INSTRUCTIONS,
  MANIFEST,
  PUBLIC_KEY,
  SIGNATURE,
  writeInstructions,
  writeManifest,
  type ExportedFile,
} from './export-manifest.js';
import type { ExportShelf } from './export-shelf.js';
import { heightOf } from './orders.js';
import type { Clip, RecorderDoor } from './recorder-door.js';

type ExportCamera = ExportJobData['cameras'][number];
type ExportContext = Pick<JobContext<'exports'>, 'id' | 'signal' | 'progress'>;

const TICKS_PER_MS = 90;

export interface ExportMakerParts {
  readonly transcoderId: string;
  readonly recorders: RecorderDoor;
  readonly transcoder: Transcoder;
  readonly shelf: ExportShelf;
  readonly key: ExportKey;
  readonly clock: Clock;
}

export class ExportMaker {
  readonly #parts: ExportMakerParts;

  constructor(parts: ExportMakerParts) {
    this.#parts = parts;
  }

  /**
   * Throws `not-found` when no camera has footage, `resource-exhausted` when the disk is full,
   * `cancelled`, `unavailable` when a recorder is away. Making it again replaces the file.
   */
  async make(data: ExportJobData, context: ExportContext): Promise<ExportJobResult> {
    const { shelf, transcoderId } = this.#parts;
    const opened = await shelf.begin(context.id).catch((error: unknown) => {
      throw diskError(error);
    });
    const archive = new ExportArchive(opened.file, this.#now());
    try {
      const result = await this.#fill(archive, data, context);
      context.signal.throwIfAborted();
      await opened.keep().catch((error: unknown) => {
        throw diskError(error);
      });
      return { ...result, transcoder: transcoderId };
    } finally {
      await archive.close();
      await opened.discard();
    }
  }

  async #fill(
    archive: ExportArchive,
    data: ExportJobData,
    context: ExportContext,
  ): Promise<Omit<ExportJobResult, 'transcoder'>> {
    const files: ExportedFile[] = [];
    const withoutFootage: ExportCamera[] = [];
    const names = new Set<string>();
    for (const [index, camera] of data.cameras.entries()) {
      const tell = (fraction: number) =>
        context.progress({
          fraction: (index + Math.min(1, fraction)) / data.cameras.length,
          sizeBytes: archive.sizeBytes,
        });
      tell(0);
      const clip = await this.#clip(camera, data, context.signal);
      if (clip === undefined) {
        withoutFootage.push(camera);
        continue;
      }
      const file = fileNameOf(camera.name, data.fromUnixMs, names);
      const bytes = this.#video(camera, clip, { data, signal: context.signal, tell });
      const written = await archive.add(file, bytes);
      files.push({ camera: camera.id, name: camera.name, file, ...written, gaps: clip.gaps });
    }
    if (files.length === 0) {
      throw new NightjarError('not-found', 'no camera has footage of this period');
    }
    const { key } = this.#parts;
    const manifest = writeManifest({
      id: context.id,
      data,
      madeAtUnixMs: this.#now(),
      files,
      withoutFootage: withoutFootage.map(({ id, name }) => ({ id, name })),
      key,
    });
    archive.addWhole(MANIFEST, manifest);
    archive.addWhole(SIGNATURE, key.sign(manifest));
    archive.addWhole(PUBLIC_KEY, Buffer.from(key.publicPem));
    archive.addWhole(INSTRUCTIONS, writeInstructions(files, key));
    const whole = await archive.end();
    return { ...whole, withoutFootage: withoutFootage.map(({ id }) => id) };
  }

  #clip(
    camera: ExportCamera,
    period: ExportJobData,
    signal: AbortSignal,
  ): Promise<Clip | undefined> {
    const address = { recorder: camera.recorderUrl, camera: camera.id };
    return this.#parts.recorders.clip(address, period, signal).catch((error: unknown) => {
      if (toNightjarError(error).code === 'not-found') return undefined;
      throw error;
    });
  }

  /** The clip as it is, or its rendition; never a clip that ends inside a picture. */
  async *#video(
    camera: ExportCamera,
    clip: Clip,
    work: { data: ExportJobData; signal: AbortSignal; tell: (fraction: number) => void },
  ): AsyncGenerator<Uint8Array> {
    const { data, signal, tell } = work;
    const durationTicks = (data.toUnixMs - data.fromUnixMs) * TICKS_PER_MS;
    const watched = async function* (pieces: AsyncIterable<Fmp4Piece>): AsyncGenerator<Fmp4Piece> {
      for await (const piece of pieces) {
        signal.throwIfAborted();
        yield piece;
        tell((piece.startTicks ?? 0) / durationTicks);
      }
    };
    const pieces = watched(readFmp4Stream(clip.bytes));
    if (data.rendition === 'source') {
      for await (const { bytes } of pieces) yield bytes;
      return;
    }
    yield* this.#rendition(camera, pieces, { data, signal, watched });
  }

  async *#rendition(
    camera: ExportCamera,
    pieces: AsyncGenerator<Fmp4Piece>,
    work: {
      data: ExportJobData;
      signal: AbortSignal;
      watched: (pieces: AsyncIterable<Fmp4Piece>) => AsyncGenerator<Fmp4Piece>;
    },
  ): AsyncGenerator<Uint8Array> {
    const { data, signal, watched } = work;
    const { transcoder } = this.#parts;
    const height = heightOf(data.rendition);
    const first = await pieces.next();
    if (first.done === true || first.value.kind !== 'init') {
      throw new NightjarError('data-loss', 'a clip does not begin with its initialisation');
    }
    const init = first.value.bytes;
    yield await transcoder.init(init, height);
    let next: AsyncGenerator<Fmp4Piece> | undefined = pieces;
    const fragments = async function* (this: ExportMaker): AsyncGenerator<Uint8Array> {
      // The first pass goes on with the stream at hand; another one needs the clip from its start.
      const clip = next === undefined ? await this.#clip(camera, data, signal) : undefined;
      const source = next ?? (clip === undefined ? [] : watched(readFmp4Stream(clip.bytes)));
      next = undefined;
      for await (const { kind, bytes } of source) if (kind === 'fragment') yield bytes;
    }.bind(this);
    yield* pulled((onPart) =>
      transcoder.track({ init, height, fragments, signal, onPart }).then(() => undefined),
    );
  }

  #now(): number {
    return this.#parts.clock.nowUnixMs();
  }
}

/** What a worker pushes, to be pulled. The disk is faster than an encoder, so little waits here. */
async function* pulled(
  work: (onPart: (part: Buffer) => void) => Promise<void>,
): AsyncGenerator<Buffer> {
  const parts: Buffer[] = [];
  let wake = () => undefined as void;
  let ended = false;
  const running = work((part) => {
    parts.push(part);
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  running.catch(() => undefined);
  while (!ended || parts.length > 0) {
    const part = parts.shift();
    if (part !== undefined) yield part;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  await running;
}
