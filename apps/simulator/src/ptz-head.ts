// The motors of a simulated camera: where it looks, and how that changes with time.

import { systemClock, type Clock } from '#base';

export interface PtzVector {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

export type PtzCommandName = 'move' | 'stop' | 'absolute' | 'relative' | 'preset';

/** One command as the camera received it. */
export interface PtzLogEntry {
  /** On the clock's monotonic time. */
  readonly atMs: number;
  readonly command: PtzCommandName;
  readonly vector: PtzVector;
}

export interface PtzPreset {
  readonly token: string;
  readonly name: string;
  readonly position: PtzVector;
}

/** Full speed crosses the whole range (two units of pan) in so many milliseconds. */
const CROSSING_MS = 8000;
const UNITS_PER_MS = 2 / CROSSING_MS;
const STILL: PtzVector = { pan: 0, tilt: 0, zoom: 0 };
const AXES = ['pan', 'tilt', 'zoom'] as const;

/** Pan and tilt are within -1 and 1, zoom within 0 and 1, as in ONVIF's generic spaces. */
export class PtzHead {
  /** What came, oldest first. */
  readonly log: PtzLogEntry[] = [];
  readonly #clock: Clock;
  readonly #presets = new Map<string, PtzPreset>();
  #position: PtzVector = STILL;
  #velocity: PtzVector = STILL;
  #target: PtzVector | undefined;
  #updatedMs: number;
  #stopsAtMs = Infinity;
  #lastPreset = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#updatedMs = clock.monotonicMs();
  }

  /** Moves on until `stop`, or for `timeoutMs`. */
  move(velocity: PtzVector, timeoutMs = Infinity): void {
    this.#note('move', velocity);
    this.#velocity = velocity;
    this.#target = undefined;
    this.#stopsAtMs = this.#updatedMs + timeoutMs;
  }

  stop(): void {
    this.#note('stop', STILL);
    this.#velocity = STILL;
    this.#target = undefined;
  }

  moveTo(position: PtzVector): void {
    this.#note('absolute', position);
    this.#target = bounded(position);
  }

  moveBy(way: PtzVector): void {
    this.#note('relative', way);
    const { pan, tilt, zoom } = this.#position;
    this.#target = bounded({ pan: pan + way.pan, tilt: tilt + way.tilt, zoom: zoom + way.zoom });
  }

  get position(): PtzVector {
    this.#advance();
    return this.#position;
  }

  get moving(): boolean {
    this.#advance();
    return this.#target !== undefined || AXES.some((axis) => this.#velocity[axis] !== 0);
  }

  get presets(): readonly PtzPreset[] {
    return [...this.#presets.values()];
  }

  /** A preset of that name moves to where the camera looks now. */
  savePreset(name: string): PtzPreset {
    const known = this.presets.find((preset) => preset.name === name);
    // Tokens that look like numbers, as many cameras give them.
    const token = known?.token ?? String(++this.#lastPreset);
    const preset = { token, name, position: this.position };
    this.#presets.set(token, preset);
    return preset;
  }

  /** False when there is no such preset. */
  gotoPreset(token: string): boolean {
    const preset = this.#presets.get(token);
    if (preset === undefined) return false;
    this.#note('preset', preset.position);
    this.#target = preset.position;
    return true;
  }

  removePreset(token: string): boolean {
    return this.#presets.delete(token);
  }

  #note(command: PtzCommandName, vector: PtzVector): void {
    this.#advance();
    this.log.push({ atMs: this.#updatedMs, command, vector });
    this.#velocity = STILL;
  }

  /** Brings the position up to now. */
  #advance(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#updatedMs;
    const movedMs = Math.max(0, Math.min(elapsedMs, this.#stopsAtMs - this.#updatedMs));
    this.#updatedMs = nowMs;
    const from = this.#position;
    if (this.#target !== undefined) {
      const target = this.#target;
      const reach = elapsedMs * UNITS_PER_MS;
      const towards = (axis: 'pan' | 'tilt' | 'zoom'): number =>
        from[axis] + Math.min(reach, Math.max(-reach, target[axis] - from[axis]));
      this.#position = { pan: towards('pan'), tilt: towards('tilt'), zoom: towards('zoom') };
      if (AXES.every((axis) => this.#position[axis] === target[axis])) this.#target = undefined;
      return;
    }
    const reach = movedMs * UNITS_PER_MS;
    const { pan, tilt, zoom } = this.#velocity;
    this.#position = bounded({
      pan: from.pan + pan * reach,
      tilt: from.tilt + tilt * reach,
      zoom: from.zoom + zoom * reach,
    });
    if (nowMs >= this.#stopsAtMs) this.#velocity = STILL;
  }
}

function bounded({ pan, tilt, zoom }: PtzVector): PtzVector {
  const within = (value: number, least: number): number => Math.min(1, Math.max(least, value));
  return { pan: within(pan, -1), tilt: within(tilt, -1), zoom: within(zoom, 0) };
}
