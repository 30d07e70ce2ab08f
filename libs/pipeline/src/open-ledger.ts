// Takes up a camera's gaps where the life before left them.

import type { GapRow, Timeline } from '#timeline';
import { GapLedger, SHORTEST_GAP_US } from './gap-ledger.js';

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
  const explainedFromUs = openGap?.startUnixUs ?? Infinity;
  await explainHoles(timeline, camera, Math.min(footageEndUs, explainedFromUs));
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

/**
 * A life that ended before its first commit leaves footage, which recovery found, and no word of
 * what was missing in front of it. It began a chunk of its own: the two newest are looked at.
 */
async function explainHoles(timeline: Timeline, camera: string, untilUnixUs: number) {
  const chunks = await timeline.chunksOf(camera, { track: 'main', limit: 2, reverse: true });
  const fromUs = Math.min(...chunks.map(({ firstUnixUs }) => firstUnixUs));
  if (chunks.length === 0 || fromUs >= untilUnixUs) return;
  const spans = (await timeline.recordings(camera, fromUs, untilUnixUs)).filter(
    ({ track }) => track === 'main',
  );
  const known = await timeline.gaps(camera, fromUs, untilUnixUs);
  const covered = [
    ...spans.map(({ fromUnixUs, toUnixUs }) => ({ fromUnixUs, toUnixUs })),
    ...known.map((gap) => ({ fromUnixUs: gap.startUnixUs, toUnixUs: gap.endUnixUs ?? Infinity })),
    { fromUnixUs: untilUnixUs, toUnixUs: untilUnixUs },
  ].sort((a, b) => a.fromUnixUs - b.fromUnixUs);
  const gaps: GapRow[] = [];
  let untilUs = fromUs;
  for (const { fromUnixUs, toUnixUs } of covered) {
    if (fromUnixUs - untilUs >= SHORTEST_GAP_US) {
      gaps.push({ camera, startUnixUs: untilUs, endUnixUs: fromUnixUs, reason: 'restart' });
    }
    untilUs = Math.max(untilUs, toUnixUs);
  }
  if (gaps.length > 0) await timeline.commit({ gaps });
}
