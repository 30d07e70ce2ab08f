// Finds out whether a GPU can do the work, by letting it do some in a process that may crash.

import { fork } from 'node:child_process';
import { compiledModule, messageOf, type Log } from '#base';
import { HardwareDeviceContext } from 'node-av/lib';
import { z } from 'zod';
import { HARDWARE_PATHS, type EncodePath } from './encode-path.js';
import { checked } from './native.js';

const PROBE_DEADLINE_MS = 15_000;

/** What came of trying each way; kept, so that a person can see why the CPU does the work. */
export interface HardwareAttempt {
  readonly name: string;
  readonly works: boolean;
  /** Decoding on the device works too. */
  readonly decodes: boolean;
  readonly reason?: string | undefined;
}

export interface Hardware {
  readonly path: EncodePath;
  readonly device: HardwareDeviceContext;
  readonly decodes: boolean;
}

export interface HardwareReport {
  /** Absent: the CPU does the work. */
  readonly hardware?: Hardware;
  readonly attempts: readonly HardwareAttempt[];
}

const attemptsSchema = z.array(
  z.object({
    name: z.string(),
    works: z.boolean(),
    decodes: z.boolean(),
    reason: z.string().optional(),
  }),
);

/** Never throws: whatever goes wrong becomes the reason why the CPU does the work. */
export async function detectHardware(options: { readonly log: Log }): Promise<HardwareReport> {
  const attempts = await probeInChild().catch((error: unknown): HardwareAttempt[] => [
    { name: 'probe', works: false, decodes: false, reason: messageOf(error) },
  ]);
  const found = attempts.find((attempt) => attempt.works);
  const path = HARDWARE_PATHS.find(({ name }) => name === found?.name);
  if (found !== undefined && path !== undefined) {
    try {
      const device = openDevice(path);
      options.log.info({ encoder: path.encoder, decodes: found.decodes }, 'a GPU does the work');
      return { hardware: { path, device, decodes: found.decodes }, attempts };
    } catch (error) {
      options.log.warn({ err: error, encoder: path.encoder }, 'the GPU was found and lost again');
    }
  }
  options.log.info({ attempts }, 'no GPU can be used; the CPU does the work');
  return { attempts };
}

/** The caller frees it. Throws `internal` when there is no such device. */
export function openDevice(path: EncodePath): HardwareDeviceContext {
  const device = new HardwareDeviceContext();
  try {
    checked(device.create(path.device!.type), `opening a device for ${path.encoder}`);
    return device;
  } catch (error) {
    device.free();
    throw error;
  }
}

/** A driver may crash or hang: both end the child and nothing else. */
function probeInChild(): Promise<HardwareAttempt[]> {
  return new Promise((resolve, reject) => {
    const child = fork(compiledModule('./hardware-probe.js', import.meta.url), {
      stdio: 'ignore',
      timeout: PROBE_DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    child.once('error', reject);
    child.once('message', (message) => {
      const parsed = attemptsSchema.safeParse(message);
      if (parsed.success) resolve(parsed.data);
      else reject(new Error('the probe answered something else'));
    });
    child.once('exit', (code, signal) =>
      reject(new Error(`the probe ended without an answer (${signal ?? `code ${code}`})`)),
    );
  });
}
