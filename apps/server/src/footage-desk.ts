// Finds who has a camera's footage, or makes its renditions, and keeps the trail of who watched what.

import type { Request, Response } from 'express';
import { renditionSchema, type Rendition } from '#contract';
import type { AuditDesk, Deed } from './audit-desk.js';
import type { Principal } from './gatekeeper.js';
import type { MediaProxy } from './media-proxy.js';
import { parse } from './problem.js';
import type { RecorderRegistry } from './recorder-registry.js';

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
  readonly #proxy: MediaProxy;
  readonly #audit: AuditDesk;

  constructor(o: { registry: RecorderRegistry; proxy: MediaProxy; audit: AuditDesk }) {
    this.#registry = o.registry;
    this.#proxy = o.proxy;
    this.#audit = o.audit;
  }

  async playlist(call: FootageCall, query: Period & { rendition: Rendition }): Promise<void> {
    const { from, to, rendition } = query;
    // Says now, and not slice by slice, that there is nobody to make the rendition.
    if (rendition !== 'source') this.#registry.transcoderFor(call.camera);
    const text = new URLSearchParams({ from: String(from), to: String(to), rendition });
    await this.#fromRecorder(call, `playback.m3u8?${text}`, {
      action: 'footage.play',
      detail: { ...periodOf(query), rendition },
    });
  }

  /** An initialisation or a slice, as a playlist named it. */
  async part(call: FootageCall, kind: 'init' | 'slice'): Promise<void> {
    const query = new URLSearchParams(call.request.originalUrl.split('?')[1] ?? '');
    const rendition = parse(renditionSchema, query.get('rendition') ?? 'source');
    if (rendition === 'source') {
      query.delete('rendition');
      await this.#fromRecorder(call, `${kind === 'init' ? 'init.mp4' : 'slice.m4s'}?${query}`);
    } else {
      await this.#fromTranscoder(call, kind, query);
    }
  }

  async clip(call: FootageCall, query: Period): Promise<void> {
    await this.#fromRecorder(call, `clip.mp4?from=${query.from}&to=${query.to}`, {
      action: 'footage.clip',
      detail: periodOf(query),
    });
  }

  async frame(call: FootageCall, query: { at: number; height: number }): Promise<void> {
    const text = new URLSearchParams({ at: String(query.at), height: String(query.height) });
    await this.#fromTranscoder(call, 'frame.jpg', text, () =>
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
    await this.#fromRecorder(call, 'live.mp4', { action: 'footage.live' });
  }

  async #fromRecorder(call: FootageCall, path: string, deed?: Deed): Promise<void> {
    const peer = await this.#registry.recorderOf(call.camera);
    await this.#proxy.pass({
      ...call,
      peer,
      path: `/internal/cameras/${encodeURIComponent(call.camera)}/${path}`,
      ...(deed === undefined
        ? {}
        : {
            onAccepted: () => this.#audit.record(call.caller, { ...deed, subject: call.camera }),
          }),
    });
  }

  async #fromTranscoder(
    call: FootageCall,
    kind: 'init' | 'slice' | 'frame.jpg',
    query: URLSearchParams,
    onAccepted?: () => Promise<void>,
  ): Promise<void> {
    const recorder = await this.#registry.recorderOf(call.camera);
    const peer = this.#registry.transcoderFor(call.camera);
    // Set, not added: a client does not say where the transcoder fetches from.
    query.set('recorder', recorder.url);
    query.set('camera', call.camera);
    await this.#proxy.pass({
      ...call,
      peer,
      path: `/internal/${kind}?${query}`,
      ...(onAccepted === undefined ? {} : { onAccepted }),
    });
  }
}

function periodOf({ from, to }: Period): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
