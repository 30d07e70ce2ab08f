// Asks every recorder that matters at once, with a deadline, and says who did not answer.

import { messageOf, type Log } from '#base';
import type { CameraSpread } from './camera-spread.js';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const DEADLINE_MS = 5000;

export interface FanOutAnswer<T> {
  readonly answers: { readonly recorder: string; readonly answer: T }[];
  /** Ids of recorders that did not answer. */
  readonly unavailable: string[];
}

export class RecorderFanOut {
  readonly #registry: RecorderRegistry;
  readonly #spread: CameraSpread;
  readonly #log: Log;

  constructor(o: { registry: RecorderRegistry; spread: CameraSpread; log: Log }) {
    this.#registry = o.registry;
    this.#spread = o.spread;
    this.#log = o.log;
  }

  /** Every recorder; never rejects. */
  async askAll<T>(
    path: string,
    read: (body: unknown) => T,
    deadlineMs = DEADLINE_MS,
  ): Promise<FanOutAnswer<T>> {
    const missing = await this.#spread.missingRecorders();
    const answers: { recorder: string; answer: T }[] = [];
    const unavailable = [...missing];
    await Promise.all(
      this.#registry.recorders().map(async (peer) => {
        const answer = await this.#ask(peer, path, read, deadlineMs);
        if (answer === undefined) unavailable.push(peer.id);
        else answers.push({ recorder: peer.id, answer });
      }),
    );
    return { answers, unavailable };
  }

  /**
   * Every recorder that may have footage of these cameras, each with its own part of the question;
   * never rejects.
   */
  async askKeepers<T>(
    cameras: readonly string[],
    pathOf: (cameras: readonly string[], recorder: string) => string | undefined,
    read: (body: unknown) => T,
  ): Promise<FanOutAnswer<T>> {
    const byRecorder = new Map<string, string[]>();
    for (const camera of new Set(cameras)) {
      for (const { id } of await this.#spread.keepersOf(camera)) {
        byRecorder.set(id, [...(byRecorder.get(id) ?? []), camera]);
      }
    }
    const answers: { recorder: string; answer: T }[] = [];
    const unavailable: string[] = [];
    await Promise.all(
      [...byRecorder].map(async ([recorder, own]) => {
        const path = pathOf(own, recorder);
        if (path === undefined) return;
        const peer = this.#registry.findRecorder(recorder);
        const answer =
          peer === undefined ? undefined : await this.#ask(peer, path, read, DEADLINE_MS);
        if (answer === undefined) unavailable.push(recorder);
        else answers.push({ recorder, answer });
      }),
    );
    return { answers, unavailable };
  }

  async #ask<T>(
    peer: Peer,
    path: string,
    read: (body: unknown) => T,
    deadlineMs: number,
  ): Promise<T | undefined> {
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      return read(await peer.client.json(path, { deadlineMs, signal }));
    } catch (error) {
      const reason = messageOf(error);
      this.#log.warn({ recorder: peer.id, path: path.split('?')[0], reason }, 'no answer');
      return undefined;
    }
  }
}
