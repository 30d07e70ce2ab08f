// Where a camera's movement is learned from: its picture, the camera's own word, or both.

import type { Clock } from '#base';
import { CELL_BYTES, type MotionChannel, type MotionSample, type MotionService } from '#motion';
import type { AlarmState, CameraAlarms, OpenAlarms } from './camera-alarms.js';
import type { CameraSettings, MotionSource } from './camera-settings.js';
import type { DetectorState } from './gate.js';
import type { TrackHub } from './hub.js';

export interface MotionWatchOptions {
  readonly motion: MotionService;
  readonly openAlarms: OpenAlarms | undefined;
  readonly clock: Clock;
  /** For the timeline. The camera's word has level 1 and no cells: it does not say where. */
  onSample(sample: MotionSample): void;
  /** For the gate: whether anything moves, by whichever source. */
  onMoving(moving: boolean, atUnixUs: number): void;
  onState(): void;
}

export interface AlarmReport {
  readonly state: AlarmState;
  readonly message?: string;
  readonly endlessAlarms: number;
}

const TRUST: readonly DetectorState[] = ['ok', 'starting', 'behind', 'failed'];

/** Its owner says what to watch; it opens and closes what that takes. */
export class MotionWatch {
  readonly #options: MotionWatchOptions;
  #channel: MotionChannel | undefined;
  #leaveHub: (() => void) | undefined;
  #videoMoving = false;
  #alarms: CameraAlarms | undefined;
  /** The settings that the alarms were opened with. */
  #alarmsKey = '';
  #alarmState: AlarmState = 'starting';
  #alarmMessage: string | undefined;
  #alarmActive = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: MotionWatchOptions) {
    this.#options = options;
  }

  /** `off` while the picture is not looked at. */
  get video(): DetectorState | 'off' {
    return this.#channel?.state ?? 'off';
  }

  /** Undefined while the camera is not asked. */
  get alarms(): AlarmReport | undefined {
    if (this.#alarmsKey === '') return undefined;
    return {
      state: this.#alarmState,
      ...(this.#alarmMessage === undefined ? {} : { message: this.#alarmMessage }),
      endlessAlarms: this.#alarms?.endlessAlarms ?? 0,
    };
  }

  /** Idempotent: what is open and still wanted goes on. `hub` is where the picture is looked for. */
  watch(hub: TrackHub | undefined, settings: CameraSettings): void {
    const source = sourceOf(settings);
    if (source === 'off') return this.leave();
    if (source === 'onvif') this.#giveVideoUp();
    else if (hub !== undefined) this.#watchVideo(hub, settings);
    if (source === 'video') this.#leaveAlarms();
    else this.#watchAlarms(settings);
  }

  /** Once a second: a movement that goes on becomes a longer event. */
  tick(): void {
    if (this.#alarmActive) this.#sampleAlarm(true);
  }

  /** It will be looked at anew, perhaps in another picture: what moved is taken to move on. */
  leaveVideo(): void {
    this.#leaveHub?.();
    this.#channel?.close();
    this.#leaveHub = undefined;
    this.#channel = undefined;
  }

  leave(): void {
    this.#giveVideoUp();
    this.#leaveAlarms();
  }

  /** Resolves when the camera was told that nobody listens any more, or did not hear it. */
  async close(): Promise<void> {
    this.leave();
    await this.#closing;
  }

  /** Nobody will say any more that nothing moves. */
  #giveVideoUp(): void {
    this.leaveVideo();
    if (!this.#videoMoving) return;
    this.#videoMoving = false;
    const atUnixUs = this.#options.clock.nowUnixUs();
    if (!this.#alarmActive) this.#sample(atUnixUs, false);
    this.#options.onMoving(this.#alarmActive, atUnixUs);
  }

  #watchVideo(hub: TrackHub, settings: CameraSettings): void {
    if (this.#channel !== undefined) return this.#channel.setSettings(settings.motion);
    const channel = this.#options.motion.open({
      ...settings.motion,
      onSample: (sample) => this.#onVideo(sample),
      onState: () => this.#options.onState(),
    });
    this.#channel = channel;
    this.#leaveHub = hub.subscribe({
      onFormat: (format) => channel.setFormat(format),
      onFrame: ({ buffer, start, end, key, utcUs }) =>
        channel.offer(buffer.subarray(start, end), key, utcUs),
    });
  }

  #watchAlarms({ id, onvif }: CameraSettings): void {
    const key = JSON.stringify(onvif ?? null);
    if (key === this.#alarmsKey) return;
    this.#leaveAlarms();
    this.#alarmsKey = key;
    const { openAlarms } = this.#options;
    if (onvif === undefined || openAlarms === undefined) {
      this.#alarmState = 'failed';
      this.#alarmMessage = 'no ONVIF address is declared to ask for its events';
      return;
    }
    this.#alarms = openAlarms(
      { id, onvif },
      {
        onMotion: (active) => this.#onAlarm(active),
        onState: (state, message) => {
          this.#alarmState = state;
          this.#alarmMessage = message;
          this.#options.onState();
        },
      },
    );
  }

  #leaveAlarms(): void {
    if (this.#alarmActive) this.#onAlarm(false);
    const closed = this.#alarms?.close();
    if (closed !== undefined) this.#closing = this.#closing.then(() => closed);
    this.#alarms = undefined;
    this.#alarmsKey = '';
    this.#alarmState = 'starting';
    this.#alarmMessage = undefined;
  }

  #onVideo(sample: MotionSample): void {
    this.#videoMoving = sample.moving;
    this.#options.onSample(sample);
    this.#options.onMoving(sample.moving || this.#alarmActive, sample.atUnixUs);
  }

  #onAlarm(active: boolean): void {
    // Its last moment still moved.
    this.#sampleAlarm(true);
    this.#alarmActive = active;
    if (!active) this.#sampleAlarm(false);
    this.#options.onMoving(active || this.#videoMoving, this.#options.clock.nowUnixUs());
  }

  #sampleAlarm(moving: boolean): void {
    this.#sample(this.#options.clock.nowUnixUs(), moving);
  }

  #sample(atUnixUs: number, moving: boolean): void {
    const cells = new Uint8Array(CELL_BYTES);
    this.#options.onSample({ atUnixUs, level: moving ? 1 : 0, cells, moving });
  }
}

export function sourceOf(settings: CameraSettings): MotionSource {
  return settings.motion.source ?? 'video';
}

/** Of two sources the one that can be trusted more: either alone is enough to be trusted. */
export function moreTrusted(
  video: DetectorState | 'off',
  alarms: AlarmState | undefined,
): DetectorState | 'off' {
  if (alarms === undefined) return video;
  if (video === 'off') return alarms;
  return TRUST.find((state) => state === video || state === alarms) ?? 'failed';
}
