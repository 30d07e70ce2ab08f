// Media of a camera whose footage lies on several recorders: each plays the stretches that are its own,
// and what comes out is one playlist, one file, one picture.

import { isErrorCode, NightjarError, toNightjarError } from '#base';
import type { GapReason, Rendition } from '#contract';
import { joinFmp4 } from '#media';
import type { CameraSpread } from './camera-spread.js';
import type { FootageIndex, FootagePlan } from './footage-index.js';
import type { FootagePiece } from './footage-story.js';
import { joinPlaylists } from './joined-playlist.js';
import type { RecorderRegistry } from './recorder-registry.js';
import type { Span } from './spans.js';

const DEADLINE_MS = 15_000;
/** As many recorders' streams may be open for one file. */
const MOST_PIECES = 200;
/** A shorter hole between two recorders keeps its time. */
const SEAM_MS = 1000;
/** HTTP headers may not grow without end: what comes behind so many gaps is one item. */
const LISTED_GAPS = 100;

export interface Composed {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: AsyncIterable<Uint8Array>;
}

interface OpenPiece extends FootagePiece {
  readonly response: Response;
}

type Missing = Span & { readonly reason: GapReason | 'several' };

export class ComposedFootage {
  readonly #registry: RecorderRegistry;
  readonly #spread: CameraSpread;
  readonly #index: FootageIndex;

  constructor(o: { registry: RecorderRegistry; spread: CameraSpread; index: FootageIndex }) {
    this.#registry = o.registry;
    this.#spread = o.spread;
    this.#index = o.index;
  }

  /** One MP4; throws `not-found` without footage, `unavailable` when those who may have it are away. */
  async clip(
    camera: string,
    period: Span & { readonly sound?: 'none' | undefined },
    signal: AbortSignal,
  ): Promise<Composed> {
    const sound = period.sound === undefined ? '' : `&sound=${period.sound}`;
    const { open, missing, away } = await this.#open(camera, period, signal, (piece) => {
      return `clip.mp4?from=${piece.from}&to=${piece.to}${sound}`;
    });
    const parts = open.map(({ from, response }, index) => {
      const seamMs = from - (open[index - 1]?.to ?? from);
      return {
        bytes: response.body as unknown as AsyncIterable<Uint8Array>,
        seamUs: seamMs > 0 && seamMs < SEAM_MS ? seamMs * 1000 : 0,
      };
    });
    const name = `${new Date(period.from).toISOString().replaceAll(':', '-')}.mp4`;
    const gaps = gapsHeader(missing);
    return {
      headers: {
        'content-type': 'video/mp4',
        'content-disposition': `attachment; filename="${name}"`,
        ...(gaps === undefined ? {} : { 'nightjar-gaps': gaps }),
        ...away,
      },
      bytes: joinFmp4(parts),
    };
  }

  /** An HLS playlist whose addresses say which recorder has the slice. */
  async playlist(
    camera: string,
    query: Span & { readonly rendition: Rendition },
    signal: AbortSignal,
  ): Promise<Composed> {
    const { open, away } = await this.#open(camera, query, signal, ({ from, to }) => {
      return `playback.m3u8?from=${from}&to=${to}&rendition=${query.rendition}`;
    });
    const playlists = open.map(async ({ recorder, response }) => ({
      text: await response.text(),
      query: `&on=${encodeURIComponent(recorder)}`,
    }));
    const text = joinPlaylists(await Promise.all(playlists));
    return {
      headers: { 'content-type': 'application/vnd.apple.mpegurl', ...away },
      bytes: once(Buffer.from(text)),
    };
  }

  /** From the key frame up to the picture at that time, of whoever has it. */
  async still(camera: string, atUnixMs: number, signal: AbortSignal): Promise<Composed> {
    let away: NightjarError | undefined;
    for (const { id } of await this.#spread.keepersOf(camera)) {
      try {
        const response = await this.#fetch(id, camera, `still?at=${atUnixMs}`, signal);
        const time = response.headers.get('nightjar-frame-time');
        return {
          headers: {
            'content-type': 'application/octet-stream',
            ...(time === null ? {} : { 'nightjar-frame-time': time }),
          },
          bytes: once(Buffer.from(await response.arrayBuffer())),
        };
      } catch (thrown) {
        const error = toNightjarError(thrown);
        if (error.code === 'cancelled') throw error;
        if (error.code !== 'not-found') away = error;
      }
    }
    throw away ?? noFootage(atUnixMs);
  }

  async #open(
    camera: string,
    period: Span,
    signal: AbortSignal,
    pathOf: (piece: FootagePiece) => string,
  ): Promise<{ open: OpenPiece[]; missing: Missing[]; away: Record<string, string> }> {
    const plan = await this.#index.plan(camera, period);
    const away = new Set(plan.unavailable);
    const missing: Missing[] = [...plan.missing];
    const pieces = wholePieces(plan, period);
    const opened = await Promise.all(
      pieces.map(async (piece): Promise<OpenPiece | undefined> => {
        try {
          const response = await this.#fetch(piece.recorder, camera, pathOf(piece), signal);
          return { ...piece, response };
        } catch (thrown) {
          const { code } = toNightjarError(thrown);
          if (!isErrorCode(code) || !['not-found', 'unavailable', 'timeout'].includes(code)) {
            throw thrown;
          }
          if (code !== 'not-found') {
            away.add(piece.recorder);
            missing.push({ from: piece.from, to: piece.to, reason: 'recorder-away' });
          }
          return undefined;
        }
      }),
    );
    const open = opened.filter((piece) => piece !== undefined);
    if (open.length === 0) {
      if (away.size === 0) throw noFootage(period.from);
      throw new NightjarError('unavailable', `recorder ${[...away].join(', ')} does not answer`);
    }
    const names = [...away].sort().join(', ');
    return {
      open,
      missing: missing.sort((a, b) => a.from - b.from),
      away: names === '' ? {} : { 'nightjar-unavailable': names },
    };
  }

  async #fetch(
    recorder: string,
    camera: string,
    path: string,
    signal: AbortSignal,
  ): Promise<Response> {
    const peer = this.#registry.findRecorder(recorder);
    if (peer === undefined) {
      throw new NightjarError('unavailable', `recorder ${recorder} does not answer`, { camera });
    }
    return peer.client.fetch(`/internal/cameras/${encodeURIComponent(camera)}/${path}`, {
      deadlineMs: DEADLINE_MS,
      signal,
    });
  }
}

/** The first and the last reach to the ends of the period: what is newest may not be told of yet. */
function wholePieces({ pieces }: FootagePlan, period: Span): FootagePiece[] {
  if (pieces.length > MOST_PIECES) {
    throw new NightjarError(
      'resource-exhausted',
      `the footage changes recorders ${pieces.length} times in this period; ask for a shorter one`,
    );
  }
  return pieces.map((piece, index) => ({
    ...piece,
    from: index === 0 ? period.from : piece.from,
    to: index === pieces.length - 1 ? period.to : piece.to,
  }));
}

/** `<from>/<to>;<reason>, ...`, as recorders write it. */
function gapsHeader(missing: readonly Missing[]): string | undefined {
  if (missing.length === 0) return undefined;
  const listed = missing.slice(0, LISTED_GAPS);
  const rest = missing.slice(LISTED_GAPS);
  const [first] = rest;
  const last = rest.at(-1);
  if (first !== undefined && last !== undefined) {
    listed.push({ from: first.from, to: last.to, reason: 'several' });
  }
  const instant = (unixMs: number) => new Date(unixMs).toISOString();
  return listed.map((gap) => `${instant(gap.from)}/${instant(gap.to)};${gap.reason}`).join(', ');
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

function noFootage(atUnixMs: number): NightjarError {
  const at = new Date(atUnixMs).toISOString();
  return new NightjarError('not-found', `there is no footage at ${at}`);
}
