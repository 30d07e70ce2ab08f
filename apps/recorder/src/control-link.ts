// The recorder's end of the control plane: announces itself, applies what it is told, keeps a sealed
// copy so that it records with nobody to ask, and reports what happened.

import {
  Backoff,
  BoundedQueue,
  delay,
  InternalClient,
  messageOf,
  NightjarError,
  SecretBox,
  type Clock,
  type Log,
  type Timer,
} from '#base';
import { announceAnswerSchema, recorderConfigSchema, type RecorderConfig } from '#contract';
import type { CameraEvent, Recorder } from '#pipeline';
import { instantOf, recorderSettingsOf } from './mapping.js';

const ANNOUNCE_MS = 2000;
const DEADLINE_MS = 5000;
const EVENTS_HELD = 1000;
const EVENTS_AT_ONCE = 100;
const COPY_KEY = 'control/configuration';
const COPY_PURPOSE = 'recorder configuration';

export interface ControlLinkOptions {
  readonly id: string;
  readonly weight: number;
  readonly takesPushes: boolean;
  readonly recorder: Recorder;
  readonly serverUrl: string;
  readonly internalSecret: string;
  readonly secretKey: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #server: InternalClient;
  readonly #box: SecretBox;
  readonly #events = new BoundedQueue<CameraEvent>(EVENTS_HELD, 'drop-oldest');
  readonly #ended = new AbortController();
  #url: string | undefined;
  #version: string | undefined;
  #names = new Map<string, string>();
  #announcing: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #reporting: Promise<void> | undefined;
  #heard = true;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#server = new InternalClient(options.serverUrl, options.internalSecret);
    this.#box = new SecretBox(options.secretKey);
  }

  get configVersion(): string | undefined {
    return this.#version;
  }

  /** For the events of the recorder; never blocks. */
  report(event: CameraEvent): void {
    this.#events.push(event);
  }

  /** Records what it was told last, before anybody is asked. */
  async applyCopy(): Promise<void> {
    const { recorder, log } = this.#options;
    const sealed = await recorder.timeline.getSetting(COPY_KEY);
    if (sealed === undefined) return;
    let config: RecorderConfig;
    try {
      const text = this.#box.open(Buffer.from(sealed).toString(), COPY_PURPOSE);
      config = recorderConfigSchema.parse(JSON.parse(text));
    } catch (error) {
      // The secret key changed, say. The server will tell it anew.
      log.error({ err: error }, 'the local copy of the configuration cannot be read');
      return;
    }
    await recorder.apply(recorderSettingsOf(config));
    this.#remember(config);
    log.info({ cameras: config.cameras.length }, 'recording by the local copy');
  }

  /** Announces `url` at once and every two seconds from now on. */
  start(url: string): void {
    this.#url = url;
    this.#timer = this.#options.clock.every(ANNOUNCE_MS, () => void this.#tryAnnounce());
    void this.#tryAnnounce();
    this.#reporting = this.#reportEvents();
  }

  /** Asks the server and applies its answer before it resolves. Throws when it does not answer. */
  refresh(): Promise<void> {
    this.#announcing = this.#announcing.catch(() => undefined).then(() => this.#announce());
    return this.#announcing;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#ended.abort();
    this.#events.close();
    await this.#announcing.catch(() => undefined);
    await this.#reporting;
  }

  async #tryAnnounce(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.refresh();
      if (!this.#heard) log.info('the server answers again');
      this.#heard = true;
    } catch (error) {
      if (this.#heard && !this.#ended.signal.aborted) {
        log.warn({ reason: messageOf(error) }, 'the server does not answer; recording goes on');
      }
      this.#heard = false;
    }
  }

  async #announce(): Promise<void> {
    const { id, weight, takesPushes } = this.#options;
    if (this.#url === undefined || this.#ended.signal.aborted) return;
    const body = {
      role: 'recorder',
      id,
      url: this.#url,
      weight,
      takesPushes,
      ...(this.#version === undefined ? {} : { configVersion: this.#version }),
    };
    const request = {
      method: 'POST',
      body,
      deadlineMs: DEADLINE_MS,
      signal: this.#ended.signal,
    } as const;
    const answer = announceAnswerSchema.parse(
      await this.#server.json('/internal/announce', request),
    );
    if (answer.config === undefined || answer.config.version === this.#version) return;
    await this.#apply(answer.config);
  }

  async #apply(config: RecorderConfig): Promise<void> {
    const { recorder, log } = this.#options;
    const sealed = this.#box.seal(JSON.stringify(config), COPY_PURPOSE);
    await recorder.timeline.putSetting(COPY_KEY, Buffer.from(sealed));
    await recorder.apply(recorderSettingsOf(config));
    this.#remember(config);
    log.info({ cameras: config.cameras.length, version: config.version }, 'configuration applied');
  }

  #remember(config: RecorderConfig): void {
    this.#version = config.version;
    this.#names = new Map(config.cameras.map((camera) => [camera.id, camera.name]));
  }

  async #reportEvents(): Promise<void> {
    for await (const first of this.#events) {
      const events = [first];
      while (events.length < EVENTS_AT_ONCE) {
        const next = this.#events.take();
        if (next === undefined) break;
        events.push(next);
      }
      await this.#deliver(events);
    }
  }

  /** Tries until the server has them; what it refuses for what it is, is left out by itself. */
  async #deliver(events: readonly CameraEvent[]): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ended;
    const backoff = new Backoff({ firstMs: 500, capMs: 10_000 });
    const body = { events: events.map((event) => this.#told(event)) };
    while (!signal.aborted) {
      try {
        const request = { method: 'POST', body, deadlineMs: DEADLINE_MS, signal } as const;
        await this.#server.json('/internal/events', request);
        return;
      } catch (error) {
        const refused = error instanceof NightjarError && error.code === 'invalid-argument';
        if (!refused) {
          await delay(clock, backoff.nextMs(), signal).catch(() => undefined);
        } else if (events.length > 1) {
          for (const event of events) await this.#deliver([event]);
          return;
        } else {
          const [{ kind, camera } = {}] = events;
          log.warn({ kind, camera, reason: messageOf(error) }, 'the server refuses an event');
          return;
        }
      }
    }
  }

  #told({ kind, camera, atUnixUs, message }: CameraEvent) {
    const name = this.#names.get(camera);
    const text = name === undefined || message.includes(name) ? message : `${name}: ${message}`;
    return { kind, camera, at: instantOf(atUnixUs), message: text };
  }
}
