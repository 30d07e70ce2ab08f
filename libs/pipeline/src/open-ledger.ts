// Takes up a camera's gaps where the life before left them.

import type { GapRow, Timeline } from '#timeline';
import { GapLedger, SHORTEST_GAP_US } from './gap-ledger.js';

/** How far ahead of now footage may end without the clock having been wrong. */
export const CLOCK_TOLERANCE_US = 60_000_000;
/** Gaps that began this long ago are safe, whatever became of the rows behind them. */
const RECENT_US = 3_600_000_000;

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
  await endGaps(timeline, camera, { openGap, latestUs });
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
 * A power cut can keep the row of a gap that began and lose the one with its end, while later ones
 * are kept: such a gap ends where footage or the next gap begins.
 */
async function endGaps(
  timeline: Timeline,
  camera: string,
  { openGap, latestUs }: { openGap: GapRow | undefined; latestUs: number },
) {
  const recent = await timeline.gaps(camera, latestUs - RECENT_US, latestUs);
  const ended: GapRow[] = [];
  for (const [index, gap] of recent.entries()) {
    const next = recent[index + 1];
    const isOpen = gap.startUnixUs === openGap?.startUnixUs;
    if (gap.endUnixUs !== undefined || isOpen || next === undefined) continue;
    const spans = await timeline.recordings(camera, gap.startUnixUs, next.startUnixUs);
    const [span] = spans.filter(({ track }) => track === 'main');
    ended.push({ ...gap, endUnixUs: span?.fromUnixUs ?? next.startUnixUs });
  }
  if (ended.length > 0) await timeline.commit({ gaps: ended });
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
