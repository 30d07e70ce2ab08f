// What every camera does now, over all recorders, and whether that is what people declared.

import { z } from 'zod';
import { NightjarError, type Clock } from '#base';
import type { Catalog } from '#catalog';
import {
  cameraStatusSchema,
  type Camera,
  type CameraStatus,
  type Health,
  type RecordingMode,
} from '#contract';
import type { CameraSpread } from './camera-spread.js';
import { healthOf, publicHealthOf, type HealthFacts } from './health.js';
import type { RecorderFanOut } from './recorder-fan-out.js';

/** Many ask at once: the wall, the probe of a load balancer, the feed. */
const FRESH_MS = 1000;
const DEADLINE_MS = 2000;

const recorderStatusSchema = z.object({
  cameras: z.array(z.object({ id: z.string(), status: cameraStatusSchema })),
  healthy: z.boolean(),
  faults: z.array(z.string()),
  /** Of each fault. */
  faultKinds: z.array(z.object({ kind: z.string(), device: z.string().optional() })).default([]),
  warnings: z.array(z.string()).default([]),
});

export interface CameraState {
  readonly id: string;
  readonly status: CameraStatus;
}

export class StatusDesk {
  readonly #catalog: Catalog;
  readonly #fanOut: RecorderFanOut;
  readonly #spread: CameraSpread;
  readonly #clock: Clock;
  /** As of the last time that PostgreSQL answered. */
  #cameras: readonly Camera[] = [];
  #snapshot: { readonly promise: Promise<HealthFacts>; readonly atMs: number } | undefined;

  constructor(o: { catalog: Catalog; fanOut: RecorderFanOut; spread: CameraSpread; clock: Clock }) {
    this.#catalog = o.catalog;
    this.#fanOut = o.fanOut;
    this.#spread = o.spread;
    this.#clock = o.clock;
  }

  async list(): Promise<CameraState[]> {
    return this.#statesOf(await this.#fresh());
  }

  async health(): Promise<Health> {
    return healthOf(await this.#fresh());
  }

  /** In words that anybody may hear. */
  async publicHealth(): Promise<Health> {
    return publicHealthOf(await this.#fresh());
  }

  /** Both as of one moment: recorders are asked once. */
  async overview(): Promise<{ items: CameraState[]; health: Health }> {
    const snapshot = await this.#fresh();
    return { items: this.#statesOf(snapshot), health: healthOf(snapshot) };
  }

  /** Throws `not-found`. */
  async get(id: string): Promise<CameraStatus> {
    let found = (await this.list()).find((state) => state.id === id);
    if (found === undefined) {
      // It may be younger than the snapshot.
      await this.#catalog.cameras.get(id);
      this.#snapshot = undefined;
      found = (await this.list()).find((state) => state.id === id);
    }
    if (found === undefined) throw new NightjarError('not-found', 'there is no such camera');
    return found.status;
  }

  #fresh(): Promise<HealthFacts> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#snapshot === undefined || nowMs - this.#snapshot.atMs >= FRESH_MS) {
      this.#snapshot = { promise: this.#take(), atMs: nowMs };
    }
    return this.#snapshot.promise;
  }

  async #take(): Promise<HealthFacts> {
    let isDatabaseAway = false;
    try {
      this.#cameras = await this.#catalog.cameras.list();
    } catch (error) {
      if (!(error instanceof NightjarError) || error.code !== 'unavailable') throw error;
      isDatabaseAway = true;
    }
    const { answers, unavailable } = await this.#fanOut.askAll(
      '/internal/status',
      (body) => recorderStatusSchema.parse(body),
      DEADLINE_MS,
    );
    // While a camera is handed over two recorders have it: the word of the new one counts.
    const states = new Map<string, CameraStatus>();
    for (const { recorder, answer } of answers) {
      for (const { id, status } of answer.cameras) {
        const counts = !states.has(id) || this.#spread.ownerOf(id) === recorder;
        if (counts) states.set(id, status);
      }
    }
    return {
      ...{ cameras: this.#cameras, states, isDatabaseAway, lostRecorders: unavailable },
      recorders: answers.map(({ recorder }) => recorder),
      recorderFaults: answers.flatMap(({ recorder, answer: { healthy, faults, faultKinds } }) =>
        (healthy ? [] : faults).map((message, index) => ({
          ...{ recorder, message, ...faultKinds[index] },
        })),
      ),
      recorderWarnings: answers.flatMap(({ recorder, answer }) =>
        answer.warnings.map((message) => ({ recorder, message })),
      ),
    };
  }

  #statesOf({ cameras, states, recorders }: HealthFacts): CameraState[] {
    return cameras.map(({ id, recording: { mode } }) => {
      const owner = this.#spread.ownerOf(id);
      const answered = owner !== undefined && recorders.includes(owner);
      return { id, status: states.get(id) ?? untoldStatus(mode, answered) };
    });
  }
}

/** The status of a camera of which no recorder tells: where its own has answered, it is new to it. */
function untoldStatus(mode: RecordingMode, answered: boolean): CameraStatus {
  return {
    state: answered ? 'connecting' : 'offline',
    reason: answered ? 'its recorder is beginning with it' : 'its recorder does not answer',
    recording: { active: false, mode, reason: 'unknown' },
    motion: { active: false, level: 0, detector: 'off' },
    tracks: [],
  };
}
