// Finds who has a camera's footage, or makes its renditions, and keeps the trail of who watched what.

import type { Request, Response } from 'express';
import { NightjarError, toNightjarError } from '#base';
import { renditionSchema, type Rendition } from '#contract';
import type { AuditDesk, Deed } from './audit-desk.js';
import type { CameraSpread } from './camera-spread.js';
import type { Composed, ComposedFootage } from './composed-footage.js';
import type { Principal } from './gatekeeper.js';
import type { MediaProxy } from './media-proxy.js';
import { parse } from './problem.js';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const FRAME_AUDIT_MS = 60_000;

export interface FootageCall {
  readonly camera: string;
  readonly caller: Principal;
  readonly request: Request;
  readonly response: Response;
}

interface Period {
  readonly from: number;
  readonly to: number;
}

export class FootageDesk {
  readonly #registry: RecorderRegistry;
  readonly #spread: CameraSpread;
  readonly #composed: ComposedFootage;
  readonly #proxy: MediaProxy;
  readonly #audit: AuditDesk;
  readonly #ownDoor: () => string;

  /** `ownDoor` is where transcoders find what several recorders have, put together. */
  constructor(o: {
    registry: RecorderRegistry;
    spread: CameraSpread;
    composed: ComposedFootage;
    proxy: MediaProxy;
    audit: AuditDesk;
    ownDoor: () => string;
  }) {
    this.#registry = o.registry;
    this.#spread = o.spread;
    this.#composed = o.composed;
    this.#proxy = o.proxy;
    this.#audit = o.audit;
    this.#ownDoor = o.ownDoor;
  }

  async playlist(call: FootageCall, query: Period & { rendition: Rendition }): Promise<void> {
    const { from, to, rendition } = query;
    // Says now, and not slice by slice, that there is nobody to make the rendition.
    if (rendition !== 'source') this.#registry.transcoderFor(call.camera);
    const text = new URLSearchParams({ from: String(from), to: String(to), rendition });
    const deed = { action: 'footage.play', detail: { ...periodOf(query), rendition } };
    const compose = (signal: AbortSignal) => this.#composed.playlist(call.camera, query, signal);
    await this.#fromRecorders(call, `playback.m3u8?${text}`, { deed, compose });
  }

  /** An initialisation or a slice, as a playlist named it. */
  async part(call: FootageCall, kind: 'init' | 'slice'): Promise<void> {
    const query = new URLSearchParams(call.request.originalUrl.split('?')[1] ?? '');
    const rendition = parse(renditionSchema, query.get('rendition') ?? 'source');
    const recorders = await this.#havingPart(call.camera, query.get('on'));
    if (rendition !== 'source') {
      const [recorder] = recorders;
      await this.#fromTranscoder(call, kind, { query, recorderUrl: recorder.url });
      return;
    }
    for (const name of ['rendition', 'on']) query.delete(name);
    const path = pathOf(call.camera, `${kind === 'init' ? 'init.mp4' : 'slice.m4s'}?${query}`);
    for (const [index, peer] of recorders.entries()) {
      try {
        await this.#proxy.pass({ ...call, peer, path });
        return;
      } catch (error) {
        const isLast = index === recorders.length - 1;
        if (isLast || toNightjarError(error).code !== 'not-found') throw error;
      }
    }
  }

  async clip(call: FootageCall, query: Period): Promise<void> {
    const deed = { action: 'footage.clip', detail: periodOf(query) };
    const compose = (signal: AbortSignal) => this.#composed.clip(call.camera, query, signal);
    const path = `clip.mp4?from=${query.from}&to=${query.to}`;
    await this.#fromRecorders(call, path, { deed, compose });
  }

  async frame(call: FootageCall, query: { at: number; height: number }): Promise<void> {
    const text = new URLSearchParams({ at: String(query.at), height: String(query.height) });
    const recorderUrl = await this.sourceUrl(call.camera);
    await this.#fromTranscoder(call, 'frame.jpg', { query: text, recorderUrl }, () =>
      this.#audit.recordSometimes(
        call.caller,
        {
          action: 'footage.frame',
          subject: call.camera,
          detail: { at: new Date(query.at).toISOString() },
        },
        FRAME_AUDIT_MS,
      ),
    );
  }

  async live(call: FootageCall): Promise<void> {
    const peer = await this.#spread.recorderOf(call.camera);
    await this.#proxy.pass({
      ...call,
      peer,
      path: pathOf(call.camera, 'live.mp4'),
      onAccepted: () =>
        this.#audit.record(call.caller, { action: 'footage.live', subject: call.camera }),
    });
  }

  /** Where a transcoder finds a camera's stills and clips. Throws `not-found` and `unavailable`. */
  async sourceUrl(camera: string): Promise<string> {
    if (await this.#isSpread(camera)) return this.#ownDoor();
    return (await this.#spread.recorderOf(camera)).url;
  }

  async #isSpread(camera: string): Promise<boolean> {
    return (await this.#spread.keepersOf(camera)).length > 1;
  }

  /** From the one recorder that can have it, as it comes; from several, put together. */
  async #fromRecorders(
    call: FootageCall,
    path: string,
    o: { deed: Deed; compose: (signal: AbortSignal) => Promise<Composed> },
  ): Promise<void> {
    const onAccepted = () => this.#audit.record(call.caller, { ...o.deed, subject: call.camera });
    if (await this.#isSpread(call.camera)) {
      await this.#proxy.send({ ...call, compose: o.compose, onAccepted });
      return;
    }
    const peer = await this.#spread.recorderOf(call.camera);
    await this.#proxy.pass({ ...call, peer, path: pathOf(call.camera, path), onAccepted });
  }

  /** The recorder that the address names; else whoever may have it, the likeliest first. */
  async #havingPart(camera: string, on: string | null): Promise<[Peer, ...Peer[]]> {
    const keepers = (await this.#spread.keepersOf(camera)).map(({ id }) => id);
    const wanted = on === null ? keepers : keepers.filter((id) => id === on);
    const [first, ...rest] = wanted
      .map((id) => this.#registry.findRecorder(id))
      .filter((peer) => peer !== undefined);
    if (first !== undefined) return [first, ...rest];
    if (on === null) return [await this.#spread.recorderOf(camera)];
    throw new NightjarError('unavailable', `recorder ${on} does not answer`, { camera });
  }

  async #fromTranscoder(
    call: FootageCall,
    kind: 'init' | 'slice' | 'frame.jpg',
    { query, recorderUrl }: { query: URLSearchParams; recorderUrl: string },
    onAccepted?: () => Promise<void>,
  ): Promise<void> {
    const peer = this.#registry.transcoderFor(call.camera);
    // Set, not added: a client does not say where the transcoder fetches from.
    query.set('recorder', recorderUrl);
    query.set('camera', call.camera);
    await this.#proxy.pass({
      ...call,
      peer,
      path: `/internal/${kind}?${query}`,
      ...(onAccepted === undefined ? {} : { onAccepted }),
    });
  }
}

function pathOf(camera: string, path: string): string {
  return `/internal/cameras/${encodeURIComponent(camera)}/${path}`;
}

function periodOf({ from, to }: Period): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
