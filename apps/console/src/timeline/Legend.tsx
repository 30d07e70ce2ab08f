// The colours in view and what they stand for.

import type { GapReason } from '#contract';
import { GAP_STYLE } from './gap-style.js';
import type { TimelineSpans } from './spans.js';
import classes from './Timeline.module.css';
import type { TimelineView } from './view.js';

export function Legend({ spans, view }: { spans: TimelineSpans; view: TimelineView }) {
  const reasons = new Set<GapReason>();
  for (const gap of spans.gaps) {
    if (gap.toMs > view.fromMs && gap.fromMs < view.toMs) reasons.add(gap.reason);
  }
  return (
    <div className={classes.legend}>
      <span>
        <i style={{ background: '#3f7f99' }} /> Recorded
      </span>
      {spans.recordings.some((span) => span.track === 'sub') && (
        <span>
          <i style={{ background: '#2a5466' }} /> Low resolution
        </span>
      )}
      <span>
        <i style={{ background: '#d8a548' }} /> Motion
      </span>
      {[...reasons].map((reason) => (
        <span key={reason} title={GAP_STYLE[reason].text}>
          <i style={{ background: GAP_STYLE[reason].color }} /> {GAP_STYLE[reason].label}
        </span>
      ))}
    </div>
  );
}
