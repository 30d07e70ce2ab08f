// Takes up a camera's gaps where the life before left them.

import type { Timeline } from '#timeline';
import { GapLedger } from './gap-ledger.js';

/** How far ahead of now footage may end without the clock having been wrong. */
export const CLOCK_TOLERANCE_US = 60_000_000;

/** `footageEndUs` is where the newest footage of the main track ends; 0 if there is none. */
export async function openLedger(
  timeline: Timeline,
  camera: string,
  footageEndUs: number,
  nowUnixUs: number,
): Promise<GapLedger> {
  const latestUs = nowUnixUs + CLOCK_TOLERANCE_US;
  const openGap = timeline.openGap(camera);
  if (openGap !== undefined && openGap.startUnixUs <= latestUs) {
    const lastAliveUs = timeline.lastAlive();
    const ledger = new GapLedger({
      camera,
      coveredUntilUs: openGap.startUnixUs,
      openGap,
      lastAliveUs,
    });
    if (footageEndUs > openGap.startUnixUs) {
      // Footage was safe before the end of the gap was: recovery found it, the gap ends there.
      const spans = await timeline.recordings(camera, openGap.startUnixUs, footageEndUs);
      for (const span of spans) {
        if (span.track === 'main') ledger.recorded(span.fromUnixUs, span.toUnixUs);
      }
    }
    return ledger;
  }
  const gaps = await timeline.gaps(camera, Math.max(0, footageEndUs - 1), latestUs);
  const gapEndUs = Math.max(
    0,
    ...gaps.map((gap) => gap.endUnixUs ?? 0).filter((endUs) => endUs <= latestUs),
  );
  const coveredUntilUs = Math.max(footageEndUs, gapEndUs);
  return new GapLedger({
    camera,
    coveredUntilUs: coveredUntilUs === 0 ? nowUnixUs : coveredUntilUs,
  });
}
