// Takes up a camera's gaps where the life before left them.

import type { Timeline } from '#timeline';
import { GapLedger } from './gap-ledger.js';

/** `footageEndUs` is where the newest footage of the main track ends; 0 if there is none. */
export async function openLedger(
  timeline: Timeline,
  camera: string,
  footageEndUs: number,
  nowUnixUs: number,
): Promise<GapLedger> {
  const openGap = timeline.openGap(camera);
  if (openGap !== undefined) {
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
  const gaps = await timeline.gaps(camera, Math.max(0, footageEndUs - 1), Number.MAX_SAFE_INTEGER);
  const gapEndUs = Math.max(0, ...gaps.map((gap) => gap.endUnixUs ?? 0));
  const coveredUntilUs = Math.max(footageEndUs, gapEndUs);
  return new GapLedger({
    camera,
    coveredUntilUs: coveredUntilUs === 0 ? nowUnixUs : coveredUntilUs,
  });
}
