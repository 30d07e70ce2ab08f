// Tells a recorder what the others hold of its cameras, and where they are to be asked when this
// server is away.

import { NightjarError } from '#base';
import { cameraSharesSchema, type OtherShares } from '#contract';
import type { CameraSpread } from './camera-spread.js';
import type { RecorderFanOut } from './recorder-fan-out.js';
import type { RecorderRegistry } from './recorder-registry.js';

export class CameraSharesDesk {
  readonly #fanOut: RecorderFanOut;
  readonly #spread: CameraSpread;
  readonly #registry: RecorderRegistry;

  constructor(o: { fanOut: RecorderFanOut; spread: CameraSpread; registry: RecorderRegistry }) {
    this.#fanOut = o.fanOut;
    this.#spread = o.spread;
    this.#registry = o.registry;
  }

  async others(asking: string | undefined, cameras: readonly string[]): Promise<OtherShares> {
    const keepers = new Set<string>();
    for (const camera of cameras) {
      for (const { id } of await this.#spread.keepersOf(camera)) keepers.add(id);
    }
    if (keepers.size === 0) {
      throw new NightjarError('unavailable', 'who holds footage of these cameras is not known');
    }
    if (asking !== undefined) keepers.delete(asking);
    const { answers } = await this.#fanOut.askKeepers(
      cameras,
      (own, recorder) =>
        recorder === asking
          ? undefined
          : `/internal/camera-shares?${new URLSearchParams({ cameras: own.join() })}`,
      (body) => cameraSharesSchema.parse(body).items,
    );
    const told = new Map(answers.map(({ recorder, answer }) => [recorder, answer]));
    return {
      recorders: [...keepers].map((id) => {
        const url = this.#registry.findRecorder(id)?.url;
        const items = told.get(id);
        return {
          id,
          ...(url === undefined ? {} : { url }),
          ...(items === undefined ? {} : { items }),
        };
      }),
    };
  }
}
