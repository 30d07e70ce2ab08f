// Looks for cameras and asks them what they offer, before anybody declares them.

import { NightjarError } from '#base';
import {
  probeResultSchema,
  type DiscoveredCamera,
  type OnvifDevice,
  type ProbeInput,
  type ProbeResult,
} from '#contract';
import { discoverCameras, OnvifCamera, summarize, type OnvifAddress } from '#onvif';
import { errorOfOthers } from './problem.js';
import type { RecorderRegistry } from './recorder-registry.js';

const DISCOVERY_MS = 3000;
const DEVICE_DEADLINE_MS = 10_000;
/** A probe asks the device, connects, and plays the stream until two groups were seen. */
const PROBE_DEADLINE_MS = 60_000;

export class Discovery {
  readonly #registry: RecorderRegistry;

  constructor(registry: RecorderRegistry) {
    this.#registry = registry;
  }

  /** What answers on the networks of this machine within three seconds. */
  discover(): Promise<DiscoveredCamera[]> {
    return discoverCameras({ timeoutMs: DISCOVERY_MS });
  }

  async describe(
    address: Pick<OnvifAddress, 'url' | 'username' | 'password'>,
  ): Promise<OnvifDevice> {
    let camera: OnvifCamera | undefined;
    try {
      camera = await OnvifCamera.connect({ ...address, deadlineMs: DEVICE_DEADLINE_MS });
      return summarize(camera);
    } catch (error) {
      throw errorOfOthers(error);
    } finally {
      camera?.close();
    }
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
