// The two clocks of the pipeline: 90 kHz ticks and microseconds.

export function ticksToUs(ticks90k: number): number {
  return Math.round((ticks90k * 100) / 9);
}

export function usToTicks(us: number): number {
  return Math.round((us * 9) / 100);
}
