// Cameras that a demonstration brings along: added once, moved with their simulator, never brought
// back against an administrator's will.

import { z } from 'zod';
import type { Catalog } from '#catalog';
import type { CameraInput } from '#contract';
import type { CameraDesk } from './camera-desk.js';

const SETTING = 'seed-cameras';
/** Camera ids by the names of the seeds. */
const plantedSchema = z.record(z.string(), z.uuid()).catch({});

export async function plantSeeds(
  seeds: readonly CameraInput[],
  catalog: Catalog,
  desk: CameraDesk,
): Promise<void> {
  if (seeds.length === 0) return;
  const planted = plantedSchema.parse((await catalog.settings.find(SETTING)) ?? {});
  for (const seed of seeds) {
    const id = planted[seed.name];
    if (id === undefined) {
      planted[seed.name] = (await desk.add(seed, 'system')).id;
      await catalog.settings.put(SETTING, planted);
      continue;
    }
    const camera = await catalog.cameras.find(id);
    if (camera === undefined) continue;
    const moved =
      camera.streams.main !== seed.streams.main ||
      camera.streams.sub !== seed.streams.sub ||
      camera.onvif?.url !== seed.onvif?.url;
    if (moved) {
      await desk.change(id, { streams: seed.streams, onvif: seed.onvif ?? null }, 'system');
    }
  }
}
