// What a shorter retention would delete, before it is saved.

import type { Storage } from '#contract';

const DAY_MS = 86_400_000;

interface RetentionLoss {
  readonly fromMs: number;
  readonly toMs: number;
  /** An estimate: footage is not spread evenly over time. */
  readonly bytes: number;
}

/** Undefined when nothing that exists would go. */
export function retentionLoss(
  usage: Storage['cameras'][number] | undefined,
  days: number,
  nowMs: number,
): RetentionLoss | undefined {
  if (usage?.oldest === undefined || usage.newest === undefined || !(days > 0)) return undefined;
  const fromMs = Date.parse(usage.oldest);
  const newestMs = Date.parse(usage.newest);
  const toMs = Math.min(newestMs, nowMs - days * DAY_MS);
  if (toMs <= fromMs) return undefined;
  const share = (toMs - fromMs) / Math.max(1, newestMs - fromMs);
  return { fromMs, toMs, bytes: Math.round(usage.bytes * Math.min(1, share)) };
}
