// Sets of time as sorted spans that do not touch: what several recorders have, and what none has.

export interface Span {
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** Spans that are nearer to each other than `holeMs` become one. */
export function unionOf(spans: readonly Span[], holeMs = 0): Span[] {
  const union: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    if (to <= from) continue;
    const last = union.at(-1);
    if (last !== undefined && from - last.to <= holeMs) last.to = Math.max(last.to, to);
    else union.push({ from, to });
  }
  return union;
}

/** What of `a` lies in `b`, too. Both sorted and apart. */
export function intersectionOf(a: readonly Span[], b: readonly Span[]): Span[] {
  const both: Span[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [one, other] = [a[i] as Span, b[j] as Span];
    const from = Math.max(one.from, other.from);
    const to = Math.min(one.to, other.to);
    if (from < to) both.push({ from, to });
    if (one.to < other.to) i += 1;
    else j += 1;
  }
  return both;
}

/** What of `a` does not lie in `b`. Both sorted and apart. */
export function differenceOf(a: readonly Span[], b: readonly Span[]): Span[] {
  const rest: Span[] = [];
  let j = 0;
  for (const { from, to } of a) {
    let at = from;
    while (j < b.length && (b[j] as Span).to <= from) j += 1;
    for (let k = j; k < b.length && (b[k] as Span).from < to; k++) {
      const { from: start, to: end } = b[k] as Span;
      if (start > at) rest.push({ from: at, to: start });
      at = Math.max(at, end);
    }
    if (at < to) rest.push({ from: at, to });
  }
  return rest;
}
