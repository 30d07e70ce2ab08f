// Reads what a request on the internal door asks for.

import { z } from 'zod';
import { NightjarError } from '#base';
import { cameraIdSchema, frameQuerySchema, renditionSchema } from '#contract';
import type { SliceOrder } from './rendition-desk.js';
import type { StillOrder } from './still-desk.js';

/** The caller has the secret, and still says only which host and port: no path, no credentials. */
const recorderSchema = z
  .string()
  .regex(/^http:\/\/[a-z0-9._:[\]-]+\/?$/i, 'expected http://host:port');

const sliceSchema = z.object({
  recorder: recorderSchema,
  camera: cameraIdSchema,
  rendition: renditionSchema.exclude(['source']),
});

const stillSchema = frameQuerySchema.extend({ recorder: recorderSchema, camera: cameraIdSchema });

/** `search` is the query as it stands in the address. Throws `invalid-argument`. */
export function readSliceOrder(search: string): SliceOrder {
  const query = new URLSearchParams(search);
  const { recorder, camera, rendition } = fit(sliceSchema, Object.fromEntries(query));
  for (const ours of ['recorder', 'camera', 'rendition']) query.delete(ours);
  return { recorder, camera, height: heightOf(rendition), query: query.toString() };
}

/** Throws `invalid-argument`. */
export function readStillOrder(search: string): StillOrder {
  const { at, ...rest } = fit(stillSchema, Object.fromEntries(new URLSearchParams(search)));
  return { ...rest, atUnixMs: at };
}

/** `480p` has 480 lines. */
export function heightOf(rendition: string): number {
  return Number.parseInt(rendition, 10);
}

function fit<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new NightjarError('invalid-argument', faults.join('; '));
}
