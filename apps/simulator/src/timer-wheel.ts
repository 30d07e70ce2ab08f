// One timer for all sessions: a wheel of slots, each holding whoever is due in it.

/** Whatever the wheel turns: `run` gives the time of its next turn, or undefined to leave. */
export interface WheelTask {
  run(nowMs: number): number | undefined;
}

const SLOT_MS = 4;
const SLOTS = 512;

/** Times are of `performance.now()`. A task that is due beyond the wheel's round waits at its end. */
export class TimerWheel {
  readonly #slots: WheelTask[][] = Array.from({ length: SLOTS }, () => []);
  #tick = Math.floor(performance.now() / SLOT_MS);
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Sessions now on the wheel. */
  get count(): number {
    return this.#count;
  }

  add(task: WheelTask, dueMs: number): void {
    if (this.#count === 0) this.#tick = Math.floor(performance.now() / SLOT_MS);
    this.#count += 1;
    this.#place(task, dueMs);
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const slot of this.#slots) slot.length = 0;
    this.#count = 0;
  }

  #place(task: WheelTask, dueMs: number): void {
    const tick = Math.ceil(dueMs / SLOT_MS);
    const bounded = Math.min(Math.max(tick, this.#tick + 1), this.#tick + SLOTS - 1);
    this.#slots[bounded % SLOTS]?.push(task);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#count === 0) return;
    const inMs = (this.#tick + 1) * SLOT_MS - performance.now();
    this.#timer = setTimeout(() => this.#turn(), Math.max(1, inMs));
  }

  #turn(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    const lastTick = Math.floor(nowMs / SLOT_MS);
    while (this.#tick < lastTick) {
      this.#tick += 1;
      const slot = this.#slots[this.#tick % SLOTS] ?? [];
      if (slot.length === 0) continue;
      const due = slot.splice(0);
      for (const task of due) {
        const nextMs = task.run(nowMs);
        if (nextMs === undefined) this.#count -= 1;
        else this.#place(task, nextMs);
      }
    }
    this.#arm();
  }
}
