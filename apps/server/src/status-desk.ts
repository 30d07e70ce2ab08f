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
import type { RecorderFanOut } from './recorder-fan-out.js';

/** Many ask at once: the wall, the probe of a load balancer, the feed. */
const FRESH_MS = 1000;
const DEADLINE_MS = 2000;

const recorderStatusSchema = z.object({
  cameras: z.array(z.object({ id: z.string(), status: cameraStatusSchema })),
  healthy: z.boolean(),
  faults: z.array(z.string()),
  warnings: z.array(z.string()).default([]),
});

export interface CameraState {
  readonly id: string;
  readonly status: CameraStatus;
}

type Fault = Health['faults'][number];

interface Snapshot {
  readonly cameras: readonly Camera[];
  readonly states: ReadonlyMap<string, CameraStatus>;
  readonly recorderFaults: Fault[];
  readonly warnings: string[];
}

export class StatusDesk {
  readonly #catalog: Catalog;
  readonly #fanOut: RecorderFanOut;
  readonly #spread: CameraSpread;
  readonly #clock: Clock;
  /** As of the last time that PostgreSQL answered. */
  #cameras: readonly Camera[] = [];
  #snapshot: { readonly promise: Promise<Snapshot>; readonly atMs: number } | undefined;

  constructor(o: { catalog: Catalog; fanOut: RecorderFanOut; spread: CameraSpread; clock: Clock }) {
    this.#catalog = o.catalog;
    this.#fanOut = o.fanOut;
    this.#spread = o.spread;
    this.#clock = o.clock;
  }

  async list(): Promise<CameraState[]> {
    return statesOf(await this.#fresh());
  }

  async health(): Promise<Health> {
    return healthOf(await this.#fresh());
  }

  /** Both as of one moment: recorders are asked once. */
  async overview(): Promise<{ items: CameraState[]; health: Health }> {
    const snapshot = await this.#fresh();
    return { items: statesOf(snapshot), health: healthOf(snapshot) };
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

  #fresh(): Promise<Snapshot> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#snapshot === undefined || nowMs - this.#snapshot.atMs >= FRESH_MS) {
      this.#snapshot = { promise: this.#take(), atMs: nowMs };
    }
    return this.#snapshot.promise;
  }

  async #take(): Promise<Snapshot> {
    const warnings: string[] = [];
    try {
      this.#cameras = await this.#catalog.cameras.list();
    } catch (error) {
      if (!(error instanceof NightjarError) || error.code !== 'unavailable') throw error;
      warnings.push('the database does not answer: recording goes on, nothing can be changed');
    }
    const { answers, unavailable } = await this.#fanOut.askAll(
      '/internal/status',
      (body) => recorderStatusSchema.parse(body),
      DEADLINE_MS,
    );
    const recorderFaults: Fault[] = unavailable.map((recorder) => ({
      kind: 'recorder-lost',
      recorder,
      message: `recorder ${recorder} does not answer`,
    }));
    for (const { recorder, answer } of answers) {
      const faults = answer.healthy ? [] : answer.faults;
      for (const message of faults) recorderFaults.push({ kind: 'recorder', recorder, message });
      warnings.push(...answer.warnings.map((message) => `${recorder}: ${message}`));
    }
    if (answers.length === 0 && unavailable.length === 0 && this.#cameras.length > 0) {
      recorderFaults.push({ kind: 'recorder-lost', message: 'no recorder has announced itself' });
    }
    // While a camera is handed over two recorders have it: the word of the new one counts.
    const states = new Map<string, CameraStatus>();
    for (const { recorder, answer } of answers) {
      for (const { id, status } of answer.cameras) {
        const counts = !states.has(id) || this.#spread.ownerOf(id) === recorder;
        if (counts) states.set(id, status);
      }
    }
    return { cameras: this.#cameras, states, recorderFaults, warnings };
  }
}

function statesOf({ cameras, states }: Snapshot): CameraState[] {
  return cameras.map((camera) => ({
    id: camera.id,
    status: states.get(camera.id) ?? silentStatus(camera.recording.mode),
  }));
}

function healthOf({ cameras, states, recorderFaults, warnings }: Snapshot): Health {
  const faults = [...recorderFaults];
  for (const camera of cameras) {
    const fault = faultOf(camera, states.get(camera.id));
    if (fault !== undefined) faults.push({ kind: 'camera', camera: camera.id, message: fault });
  }
  return { status: faults.length === 0 ? 'ok' : 'failing', faults, warnings };
}

/** Why a camera is not recorded as declared; undefined when it is. */
function faultOf(camera: Camera, status: CameraStatus | undefined): string | undefined {
  const declared = camera.recording;
  if (declared.mode === 'off' && (declared.schedule ?? []).length === 0) return undefined;
  if (status === undefined) return 'its recorder tells nothing of it';
  if (status.state === 'disabled') return undefined;
  if (status.state !== 'online') return `the camera is ${status.state}`;
  const { active, mode, reason } = status.recording;
  if (active || mode === 'off') return undefined;
  if (reason === 'no-motion' || (reason === undefined && mode !== 'continuous')) return undefined;
  return `nothing is being kept: ${reason ?? 'unknown'}`;
}

/** The status of a camera whose recorder does not answer. */
function silentStatus(mode: RecordingMode): CameraStatus {
  return {
    state: 'offline',
    reason: 'its recorder does not answer',
    recording: { active: false, mode, reason: 'unknown' },
    motion: { active: false, level: 0, detector: 'off' },
    tracks: [],
  };
}
