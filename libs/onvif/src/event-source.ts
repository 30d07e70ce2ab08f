// The movement that a camera itself tells of: a subscription that is kept alive, renewed, and begun
// anew after whatever ends it.

import { Backoff, delay, NightjarError, toNightjarError, type Clock, type Log } from '#base';
import { AlarmBook } from './alarm-book.js';
import { announcesMotion } from './event-topics.js';
import { GuardedCam } from './guarded-cam.js';
import { introduce, unlessRefused, type OnvifDeviceInfo } from './introduction.js';
import { readMotion } from './motion-topics.js';
import { deviceUrl, type OnvifAddress } from './onvif-camera.js';
import { PullPoint } from './pull-point.js';
import { QUIRKS, quirksOf, type Behaviour, type Quirk } from './quirks.js';

/** `ok`: what moves is told of. In the other states, that nothing is told means nothing. */
export type EventSourceState = 'starting' | 'ok' | 'failed';

export interface EventSourceOptions {
  readonly address: Pick<OnvifAddress, 'url' | 'username' | 'password'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Only when it changes. The camera's own times are not used: clocks of cameras are wrong. */
  onMotion(active: boolean): void;
  /** Only when state or message change; a new source is `starting` without a call. */
  onState(state: EventSourceState, message: string | undefined): void;
  readonly quirks?: readonly Quirk[];
}

export interface EventSourceCounters {
  subscriptions: number;
  renewals: number;
  notifications: number;
  /** Of those, the ones about movement. */
  motion: number;
  failures: number;
}

const DEADLINE_MS = 10_000;
const UNSUBSCRIBE_MS = 2000;
const BACKOFF = { firstMs: 1000, capMs: 30_000 };
/** Cameras lock an account after a few wrong passwords: ask seldom. */
const REFUSED_MS = 60_000;
/** A subscription is renewed while it could still outlive one failed attempt. */
const SPARE_MS = 30_000;
/** A camera that answers at once without news would be asked without rest. */
const EMPTY_PAUSE_MS = 1000;
const LONG_PULL_MS = 500;
const SHORTEST_PULL_MS = 2000;
/** So many pulls in a row may be cut short; then that nothing is told means nothing. */
const MOST_CUTS = 4;
/** A session that was pulled from for so long was a good one. */
const HEALTHY_MS = 5000;

export class EventSource {
  readonly counters: EventSourceCounters = {
    subscriptions: 0,
    renewals: 0,
    notifications: 0,
    motion: 0,
    failures: 0,
  };
  readonly #options: EventSourceOptions;
  readonly #alarms = new AlarmBook();
  readonly #end = new AbortController();
  readonly #backoff = new Backoff(BACKOFF);
  #state: EventSourceState = 'starting';
  #message: string | undefined;
  #active = false;
  #pullPoint: PullPoint | undefined;
  #behaviour: Behaviour | undefined;
  /** In a row. */
  #refusedRenewals = 0;
  /** Since when pulls succeed. */
  #pulledSinceMs: number | undefined;
  #pullTimeoutMs = 0;
  /** Pulls in a row that were cut short, over subscriptions. */
  #cuts = 0;
  #running: Promise<void>;

  /** Begins at once. */
  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get state(): EventSourceState {
    return this.#state;
  }

  get message(): string | undefined {
    return this.#message;
  }

  /** Alarms that were closed because their end never came. */
  get endlessAlarms(): number {
    return this.#alarms.endless;
  }

  /** Gives the subscription back to the camera; no callback comes after it was called. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const ticking = clock.every(1000, () => this.#tick());
    while (!this.#end.signal.aborted) {
      this.#pulledSinceMs = undefined;
      let pauseMs = 0;
      try {
        await this.#subscribeAndPull();
      } catch (error) {
        if (this.#end.signal.aborted) break;
        this.counters.failures += 1;
        const failure = toNightjarError(error);
        log.info({ code: failure.code, message: failure.message }, 'camera events: interrupted');
        // One that had worked is begun anew at once: the camera may just have rebooted.
        if (clock.monotonicMs() - (this.#pulledSinceMs ?? Infinity) >= HEALTHY_MS) {
          this.#backoff.reset();
        } else {
          this.#fail(`its events cannot be had: ${failure.message}`);
          pauseMs = this.#backoff.nextMs();
          if (failure.code === 'unauthenticated') pauseMs = Math.max(pauseMs, REFUSED_MS);
        }
      }
      await delay(clock, pauseMs, this.#end.signal).catch(() => undefined);
    }
    ticking.cancel();
  }

  async #subscribeAndPull(): Promise<void> {
    const { address } = this.#options;
    const { username, password } = address;
    const cam = new GuardedCam({ url: deviceUrl(address.url), username, password });
    const signal = this.#end.signal;
    let pullPoint: PullPoint | undefined;
    try {
      const limits = { deadlineMs: DEADLINE_MS, signal };
      const { info } = await introduce(cam, (run) => cam.call(run, limits));
      const behaviour = this.#behave(info);
      this.#pullTimeoutMs = behaviour.pullTimeoutMs;
      const create = async (): Promise<PullPoint> => {
        const nowMs = () => this.#options.clock.monotonicMs();
        const created = await PullPoint.create({ cam, behaviour, signal, nowMs });
        this.counters.subscriptions += 1;
        return (this.#pullPoint = created);
      };
      pullPoint = await create();
      const announced = await announcesMotion(cam, limits).catch(unlessRefused);
      if (announced === false) {
        this.#fail('the camera announces no event that means movement: switch its detection on');
      } else if (this.#cuts < MOST_CUTS) {
        this.#set('ok', undefined);
      }
      while (!signal.aborted) {
        if (pullPoint.leftMs < this.#pullTimeoutMs + SPARE_MS) {
          pullPoint = await this.#keepAlive(pullPoint, behaviour, create);
        }
        await this.#pullOnce(pullPoint, behaviour);
        if (this.#cuts === 0 && announced !== false) this.#set('ok', undefined);
      }
    } finally {
      this.#pullPoint = undefined;
      // It may be gone with the camera; places are few, so it is worth the try.
      if (signal.aborted) await pullPoint?.unsubscribe(UNSUBSCRIBE_MS).catch(() => undefined);
      cam.close();
    }
  }

  #behave(info: OnvifDeviceInfo): Behaviour {
    const { behaviour, rows } = quirksOf(info, this.#options.quirks ?? QUIRKS);
    if (rows.length > 0 && this.#behaviour === undefined) {
      const cameras = rows.map(({ camera }) => camera);
      this.#options.log.info({ cameras }, 'camera events: this camera is treated by its quirks');
    }
    return (this.#behaviour = behaviour);
  }

  async #keepAlive(
    pullPoint: PullPoint,
    behaviour: Behaviour,
    create: () => Promise<PullPoint>,
  ): Promise<PullPoint> {
    // The old one is left to expire: some cameras end all subscriptions with one.
    if (behaviour.keepAlive === 'recreate' || this.#refusedRenewals > 1) return create();
    try {
      await pullPoint.renew();
      this.counters.renewals += 1;
      this.#refusedRenewals = 0;
      return pullPoint;
    } catch (error) {
      if (this.#end.signal.aborted) throw error;
      const fresh = await create();
      // After a reboot it would refuse once; who refuses again and lives on cannot renew.
      this.#refusedRenewals += 1;
      return fresh;
    }
  }

  async #pullOnce(pullPoint: PullPoint, behaviour: Behaviour): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#end;
    const beganAtMs = clock.monotonicMs();
    let messages: Awaited<ReturnType<PullPoint['pull']>>;
    try {
      messages = await pullPoint.pull(this.#pullTimeoutMs);
    } catch (error) {
      const waitedMs = clock.monotonicMs() - beganAtMs;
      const cut = error instanceof NightjarError && error.code === 'unavailable';
      if (!cut || waitedMs < LONG_PULL_MS || signal.aborted) throw error;
      this.#cuts += 1;
      if (this.#cuts >= MOST_CUTS) throw error;
      // Some cameras close a connection that waits for news; the subscription lives on.
      this.#pullTimeoutMs = Math.max(SHORTEST_PULL_MS, Math.floor(waitedMs / 2));
      return;
    }
    this.#cuts = 0;
    this.#pulledSinceMs ??= beganAtMs;
    this.counters.notifications += messages.length;
    for (const message of messages) {
      const motion = readMotion(message);
      if (motion === undefined) continue;
      this.counters.motion += 1;
      this.#set('ok', undefined);
      this.#alarms.take(motion, clock.monotonicMs());
      this.#tell();
    }
    const quick = clock.monotonicMs() - beganAtMs < LONG_PULL_MS;
    const pauseMs = messages.length === 0 && quick ? EMPTY_PAUSE_MS : behaviour.pullPauseMs;
    if (pauseMs > 0) await delay(clock, pauseMs, signal).catch(() => undefined);
  }

  /** Once a second: ends alarms that are overdue, and asks for those that may be. */
  #tick(): void {
    if (this.#behaviour === undefined || this.#state === 'failed') return;
    const before = this.#alarms.endless;
    const turn = this.#alarms.turn(this.#options.clock.monotonicMs(), this.#behaviour);
    if (this.#alarms.endless > before) {
      this.#options.log.warn(
        { endless: this.#alarms.endless },
        'camera events: an alarm whose end never came was closed',
      );
    }
    if (turn === 'ask') {
      const asked = this.#pullPoint?.synchronize() ?? Promise.reject(new Error('no subscription'));
      asked.catch(() => this.#alarms.noAnswer());
    }
    this.#tell();
  }

  #fail(message: string): void {
    // What goes on meanwhile is not known: whoever records, records all of it.
    this.#alarms.forget();
    this.#tell();
    this.#set('failed', message);
  }

  #tell(): void {
    if (this.#end.signal.aborted || this.#alarms.active === this.#active) return;
    this.#active = this.#alarms.active;
    this.#options.onMotion(this.#active);
  }

  #set(state: EventSourceState, message: string | undefined): void {
    if (this.#end.signal.aborted) return;
    if (state === this.#state && message === this.#message) return;
    this.#state = state;
    this.#message = message;
    this.#options.onState(state, message);
  }
}
