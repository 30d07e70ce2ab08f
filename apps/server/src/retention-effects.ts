// What a change of retention deletes with all recorders that have footage of a camera, added up.

import { z } from 'zod';
import type { PendingRetention } from '#contract';

const partSchema = z.object({
  bytes: z.number(),
  chunks: z.number(),
  from: z.string().optional(),
  to: z.string().optional(),
});

export const effectSchema = partSchema.extend({
  storedBytes: z.number(),
  /** Of a camera that others have, too: what stays by age, and of it what goes first for space. */
  keptBytes: z.number().optional(),
  next: z.array(partSchema).optional(),
});
type Effect = z.infer<typeof effectSchema>;

/** Of what stays by age the oldest goes, wherever it lies, until `maxBytes` are left. */
export function addUpEffects(
  effects: readonly Effect[],
  maxBytes = Infinity,
): Omit<PendingRetention['effect'], 'unavailable'> & { storedBytes: number } {
  const goes: z.infer<typeof partSchema>[] = [...effects];
  let excess = effects.reduce((sum, { keptBytes = 0 }) => sum + keptBytes, 0) - maxBytes;
  const next = effects.flatMap((effect) => effect.next ?? []);
  for (const part of next.sort((a, b) => ((a.from ?? '') < (b.from ?? '') ? -1 : 1))) {
    if (excess <= 0) break;
    excess -= part.bytes;
    goes.push(part);
  }
  const sum = (pick: (part: (typeof goes)[number]) => number) =>
    goes.reduce((total, part) => total + pick(part), 0);
  const from = goes.flatMap((part) => part.from ?? []).sort()[0];
  const to = goes
    .flatMap((part) => part.to ?? [])
    .sort()
    .at(-1);
  return {
    storedBytes: effects.reduce((total, part) => total + part.storedBytes, 0),
    bytes: sum((part) => part.bytes),
    chunks: sum((part) => part.chunks),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
