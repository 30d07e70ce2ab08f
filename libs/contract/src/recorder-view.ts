// The recorders as administrators see them.

import { z } from 'zod';

export const recorderViewSchema = z.object({
  id: z.string(),
  /** `sharing`: cameras are given to it. `lost`: it does not answer. `drained`: somebody said so. */
  state: z.enum(['sharing', 'waiting', 'drained', 'lost']),
  /** Its share of the cameras against the others'; 0 keeps footage only. */
  weight: z.number(),
  /** That it is to record now. */
  cameras: z.number(),
  /** Of which it may have footage. */
  camerasKept: z.number(),
});
export type RecorderView = z.infer<typeof recorderViewSchema>;

export const recorderPatchSchema = z.object({
  /** Takes its cameras away at once, for maintenance say, or gives it its share again. */
  drained: z.boolean(),
});
export type RecorderPatch = z.output<typeof recorderPatchSchema>;
