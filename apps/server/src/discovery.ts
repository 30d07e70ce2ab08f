// Looks for cameras and asks them what they offer, before anybody declares them.

import { NightjarError } from '#base';
import {
  probeResultSchema,
  type DiscoveredCamera,
  type OnvifDevice,
  type ProbeInput,
  type ProbeResult,
} from '#contract';
import type { OnvifAccess } from '#catalog';
import type { RecorderRegistry } from './recorder-registry.js';

/** A probe plays the stream for some seconds. */
const PROBE_DEADLINE_MS = 30_000;

/** The ONVIF room, as far as this needs it. */
export interface OnvifRoom {
  discover(): Promise<DiscoveredCamera[]>;
  describe(access: OnvifAccess): Promise<OnvifDevice>;
}

export class Discovery {
  readonly #registry: RecorderRegistry;
  readonly #onvif: OnvifRoom;

  constructor(registry: RecorderRegistry, onvif: OnvifRoom) {
    this.#registry = registry;
    this.#onvif = onvif;
  }

  discover(): Promise<DiscoveredCamera[]> {
    return this.#onvif.discover();
  }

  describe(access: {
    readonly url: string;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  }): Promise<OnvifDevice> {
    const { url, username, password } = access;
    return this.#onvif.describe({
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
  }

  /** A recorder looks: it is the one that must reach the camera later. */
  async probe(input: ProbeInput): Promise<ProbeResult> {
    const [recorder] = this.#registry.recorders();
    if (recorder === undefined) {
      throw new NightjarError('unavailable', 'no recorder is there to look at the camera');
    }
    const answer = await recorder.client.json('/internal/probe', {
      method: 'POST',
      body: input,
      deadlineMs: PROBE_DEADLINE_MS,
    });
    return probeResultSchema.parse(answer);
  }
}
