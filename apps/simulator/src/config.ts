// The simulator's settings: from its environment, and the footage named on its command line.

import { parseArgs } from 'node:util';
import { z } from 'zod';
import { NightjarError, readConfig } from '#base';

const port = z.coerce.number().int().min(0).max(65_535);

const environmentSchema = z.object({
  NIGHTJAR_SIMULATOR_PORT: port.default(8554),
  NIGHTJAR_SIMULATOR_ONVIF_PORT: port.default(0),
  NIGHTJAR_SIMULATOR_HOST: z.string().default('127.0.0.1'),
  NIGHTJAR_SIMULATOR_CLIP_DIR: z.string().optional(),
  NIGHTJAR_SIMULATOR_USER: z.string().optional(),
  NIGHTJAR_SIMULATOR_PASSWORD: z.string().default(''),
  NIGHTJAR_LOG_LEVEL: z.string().default('info'),
  NIGHTJAR_LOG_FORMAT: z.enum(['text', 'json']).default('json'),
});

export interface SimulatorConfig {
  readonly environment: z.output<typeof environmentSchema>;
  readonly clips: readonly { readonly name: string; readonly path: string }[];
  readonly copies: number;
  readonly burst: boolean;
}

/** `commandLine` is what stands behind the role's name. Throws `invalid-argument`. */
export function readSimulatorConfig(
  environment: Readonly<Record<string, string | undefined>>,
  commandLine: readonly string[],
): SimulatorConfig {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      clip: { type: 'string', multiple: true, default: [] },
      copies: { type: 'string', default: '0' },
      burst: { type: 'boolean', default: false },
    },
  });
  const copies = Number(values.copies);
  if (!Number.isInteger(copies) || copies < 0 || copies > 10_000) {
    throw new NightjarError('invalid-argument', '--copies takes a number from 0 to 10000', {});
  }
  const clips = values.clip.map((text) => {
    const [, name, path] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || path === undefined) {
      throw new NightjarError('invalid-argument', '--clip takes name=/path/of/file.mp4', { text });
    }
    return { name, path };
  });
  return {
    environment: readConfig(environmentSchema, environment),
    clips,
    copies,
    burst: values.burst,
  };
}
