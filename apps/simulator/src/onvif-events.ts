// The event service of one simulated camera: pull points that tell when its scene moves.

import type { Clock, Timer } from '#base';
import { escapeXml } from './soap.js';

/** What the event service does wrong. */
export interface EventFaults {
  /** Alarms begin and never end. */
  neverEndsAlarms?: boolean;
  refusesRenew?: boolean;
  /** Neither says again what is on when asked (SetSynchronizationPoint). */
  refusesSynchronization?: boolean;
  /** Subscriptions end after this, whatever was asked for or is said. */
  realLifetimeMs?: number;
  /** The connection of a pull that waits for news is closed after this. */
  closesPullsAfterMs?: number;
  /** Says of every subscription that it ends now, and keeps it. */
  claimsToEndNow?: boolean;
  /** A pull is answered at once, with news or without. */
  neverWaits?: boolean;
}

export interface PullAnswer {
  readonly xml?: string;
  /** The connection ends without an answer. */
  readonly cut?: boolean;
  readonly unknown?: boolean;
}

export interface EventsOptions {
  readonly clock: Clock;
  /** What the camera takes for the time. */
  readonly nowMs: () => number;
  /** Whether the scene moves at this moment. */
  readonly isMoving: () => boolean;
}

interface Subscription {
  endsAtMs: number;
  lifetimeMs: number;
  readonly queue: string[];
  wake: (() => void) | undefined;
}

const WATCH_MS = 200;
const MOST_SUBSCRIPTIONS = 10;
const MOST_QUEUED = 100;
const DEFAULT_LIFETIME_MS = 60_000;

export class OnvifEvents {
  readonly faults: EventFaults = {};
  /** How often each request was made. */
  readonly requests: Record<string, number> = {};
  /** The longest time that a pull was allowed to wait. */
  longestPullMs = 0;
  readonly #options: EventsOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  #nextId = 1;
  #told = false;
  #forced: boolean | undefined;
  #watch: Timer | undefined;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** An alarm by hand; undefined follows the scene again. */
  force(alarm: boolean | undefined): void {
    this.#forced = alarm;
    this.#look();
  }

  /** Any other event, as XML of a NotificationMessage. */
  publish(notification: string): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.queue.length < MOST_QUEUED) subscription.queue.push(notification);
      subscription.wake?.();
    }
  }

  /** A reboot: subscriptions are gone, pulls that wait are cut. */
  forgetSubscriptions(): void {
    const all = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    for (const { wake } of all) wake?.();
    this.#told = false;
  }

  close(): void {
    this.forgetSubscriptions();
    this.#watch?.cancel();
  }

  /** Undefined when the camera has no place left. */
  create(lifetimeMs: number | undefined): { id: string; times: string } | undefined {
    this.#count('CreatePullPointSubscription');
    this.#expire();
    if (this.#subscriptions.size >= MOST_SUBSCRIPTIONS) return undefined;
    this.#watch ??= this.#options.clock.every(WATCH_MS, () => this.#look());
    this.#look();
    const id = String(this.#nextId++);
    const subscription: Subscription = {
      endsAtMs: 0,
      lifetimeMs: lifetimeMs ?? DEFAULT_LIFETIME_MS,
      queue: [this.#alarm('Initialized')],
      wake: undefined,
    };
    this.#extend(subscription);
    this.#subscriptions.set(id, subscription);
    return { id, times: this.#times(subscription) };
  }

  renew(id: string): string | undefined {
    this.#count('Renew');
    const subscription = this.#find(id);
    if (subscription === undefined || this.faults.refusesRenew === true) return undefined;
    this.#extend(subscription);
    return this.#times(subscription);
  }

  unsubscribe(id: string): boolean {
    this.#count('Unsubscribe');
    const subscription = this.#find(id);
    this.#subscriptions.delete(id);
    subscription?.wake?.();
    return subscription !== undefined;
  }

  synchronize(id: string): boolean {
    this.#count('SetSynchronizationPoint');
    const subscription = this.#find(id);
    if (subscription === undefined || this.faults.refusesSynchronization === true) return false;
    subscription.queue.push(this.#alarm('Initialized'));
    subscription.wake?.();
    return true;
  }

  async pull(id: string, timeoutMs: number): Promise<PullAnswer> {
    this.#count('PullMessages');
    this.longestPullMs = Math.max(this.longestPullMs, timeoutMs);
    const subscription = this.#find(id);
    if (subscription === undefined) return { unknown: true };
    const { closesPullsAfterMs, neverWaits } = this.faults;
    if (subscription.queue.length === 0 && neverWaits !== true) {
      const cut = closesPullsAfterMs !== undefined && closesPullsAfterMs < timeoutMs;
      await this.#news(subscription, cut ? closesPullsAfterMs : timeoutMs);
      if (this.#subscriptions.get(id) !== subscription) return { cut: true };
      if (cut && subscription.queue.length === 0) return { cut: true };
    }
    const messages = subscription.queue.splice(0).join('');
    return { xml: this.#times(subscription) + messages };
  }

  #news(subscription: Subscription, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(timeoutMs, () => subscription.wake?.());
      subscription.wake = () => {
        subscription.wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }

  #look(): void {
    const moving = this.#forced ?? this.#options.isMoving();
    if (moving === this.#told) return;
    if (!moving && this.faults.neverEndsAlarms === true) return;
    this.#told = moving;
    this.publish(this.#alarm('Changed'));
  }

  #find(id: string): Subscription | undefined {
    this.#expire();
    return this.#subscriptions.get(id);
  }

  #expire(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, { endsAtMs, wake }] of this.#subscriptions) {
      if (endsAtMs > nowMs) continue;
      this.#subscriptions.delete(id);
      wake?.();
    }
  }

  #extend(subscription: Subscription): void {
    const lifetimeMs = this.faults.realLifetimeMs ?? subscription.lifetimeMs;
    subscription.endsAtMs = this.#options.clock.monotonicMs() + lifetimeMs;
  }

  #times({ endsAtMs, lifetimeMs }: Subscription): string {
    const nowMs = this.#options.nowMs();
    if (this.faults.claimsToEndNow === true) {
      const now = new Date(nowMs).toISOString();
      return `<wsnt:CurrentTime>${now}</wsnt:CurrentTime><wsnt:TerminationTime>${now}</wsnt:TerminationTime>`;
    }
    const leftMs =
      this.faults.realLifetimeMs === undefined
        ? endsAtMs - this.#options.clock.monotonicMs()
        : lifetimeMs;
    const text = (ms: number): string => new Date(ms).toISOString();
    return (
      `<wsnt:CurrentTime>${text(nowMs)}</wsnt:CurrentTime>` +
      `<wsnt:TerminationTime>${text(nowMs + leftMs)}</wsnt:TerminationTime>`
    );
  }

  #alarm(operation: 'Initialized' | 'Changed'): string {
    return motionNotification(this.#told, operation, new Date(this.#options.nowMs()));
  }

  #count(request: string): void {
    this.requests[request] = (this.requests[request] ?? 0) + 1;
  }
}

function motionNotification(moving: boolean, operation: string, at: Date): string {
  return (
    '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic>' +
    `<wsnt:Message><tt:Message UtcTime="${at.toISOString()}" PropertyOperation="${escapeXml(operation)}">` +
    '<tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="source-configuration"/><tt:SimpleItem Name="Rule" Value="motion"/></tt:Source>' +
    `<tt:Data><tt:SimpleItem Name="IsMotion" Value="${moving}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}
