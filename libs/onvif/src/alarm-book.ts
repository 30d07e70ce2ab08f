// The alarms of one camera that are on, and the end of those that it forgets to end.

import type { MotionNotification } from './motion-topics.js';
import type { Behaviour } from './quirks.js';

/** Asked again and again, a camera says that it still moves: after this it is not believed. */
const STUCK_AFTER_MS = 15 * 60_000;
/** So long an answer to the question is waited for. */
const ANSWER_MS = 10_000;
/** What has no end of its own is taken for movement so long. */
const MOMENT_MS = 3000;
/** A camera that invents a new alarm each time must not fill memory. */
const MOST_ALARMS = 64;

interface Alarm {
  /** When the camera last said by itself that it is on. */
  toldAtMs: number;
  /** When it last said so at all. */
  heardAtMs: number;
  askedAtMs: number | undefined;
  readonly momentary: boolean;
}

export type AlarmTurn = 'nothing' | 'ask';

/** Knows no camera and no network: it is told what came and when. */
export class AlarmBook {
  /** Alarms that were closed because their end never came. */
  endless = 0;
  readonly #alarms = new Map<string, Alarm>();
  /** Alarms that were closed as stuck: only a new beginning opens them. */
  readonly #disbelieved = new Set<string>();

  get active(): boolean {
    return this.#alarms.size > 0;
  }

  take({ key, active, momentary }: MotionNotification, nowMs: number): void {
    if (!active) {
      this.#alarms.delete(key);
      this.#disbelieved.delete(key);
      return;
    }
    if (this.#disbelieved.has(key)) return;
    const alarm = this.#alarms.get(key);
    if (alarm === undefined) {
      if (this.#alarms.size >= MOST_ALARMS) return;
      const times = { toldAtMs: nowMs, heardAtMs: nowMs, askedAtMs: undefined };
      this.#alarms.set(key, { ...times, momentary });
      return;
    }
    if (alarm.askedAtMs === undefined) alarm.toldAtMs = nowMs;
    alarm.heardAtMs = nowMs;
    alarm.askedAtMs = undefined;
  }

  /** Ends what is overdue; says whether the camera is to be asked what is still on. */
  turn(nowMs: number, { unconfirmedEndMs, alarmEnd }: Behaviour): AlarmTurn {
    let turn: AlarmTurn = 'nothing';
    for (const [key, alarm] of this.#alarms) {
      if (alarm.momentary) {
        if (nowMs - alarm.heardAtMs >= MOMENT_MS) this.#alarms.delete(key);
        continue;
      }
      const stuck = nowMs - alarm.toldAtMs >= STUCK_AFTER_MS;
      const silent = nowMs - alarm.heardAtMs >= unconfirmedEndMs;
      if (stuck || (silent && (alarmEnd === 'repeat' || isUnanswered(alarm, nowMs)))) {
        this.#alarms.delete(key);
        // A camera that tells of no end is not at fault once more with every alarm.
        if (alarmEnd === 'message') this.endless += 1;
        if (stuck && this.#disbelieved.size < MOST_ALARMS) this.#disbelieved.add(key);
      } else if (silent && alarm.askedAtMs === undefined) {
        alarm.askedAtMs = nowMs;
        turn = 'ask';
      }
    }
    return turn;
  }

  /** The camera does not take the question: what was asked for counts as unanswered. */
  noAnswer(): void {
    for (const alarm of this.#alarms.values()) {
      if (alarm.askedAtMs !== undefined) alarm.askedAtMs = -Infinity;
    }
  }

  /** What was on is not known any more. */
  forget(): void {
    this.#alarms.clear();
  }
}

function isUnanswered({ askedAtMs }: Alarm, nowMs: number): boolean {
  return askedAtMs !== undefined && nowMs - askedAtMs >= ANSWER_MS;
}
