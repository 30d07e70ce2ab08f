// Paints a timeline: axis, motion, recordings, gaps, the chosen range, now and the play position.

import { GAP_STYLE } from './gap-style.js';
import { motionColumns, type TimelineSpans } from './spans.js';
import { ticksOf } from './ticks.js';
import { toX, type TimelineView } from './view.js';

export interface TimelineRange {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

interface TimelineScene {
  readonly view: TimelineView;
  readonly spans: TimelineSpans;
  readonly nowMs: number;
  /** Where the player is; absent while it shows the present. */
  readonly positionMs?: number | undefined;
  readonly hoverMs?: number | undefined;
  readonly range: TimelineRange;
}

const AXIS = 20;
const LANE = 16;
const BOTTOM = 6;
const COLORS = {
  ground: '#0e1216',
  future: '#0a0c0e',
  line: '#222932',
  tick: '#2c353f',
  text: '#87929d',
  strong: '#c3ccd5',
  main: '#3f7f99',
  sub: '#2a5466',
  motion: '#d8a548',
  accent: '#5fb3d4',
  white: '#f2f6f9',
};

export function drawTimeline(
  context: CanvasRenderingContext2D,
  size: { width: number; height: number },
  scene: TimelineScene,
): void {
  const { width, height } = size;
  const x = (atMs: number) => toX(scene.view, width, atMs);
  const laneTop = height - BOTTOM - LANE;
  context.clearRect(0, 0, width, height);
  context.fillStyle = COLORS.ground;
  context.fillRect(0, AXIS, width, height - AXIS);
  drawAxis(context, size, scene.view);
  drawLane(context, scene, { x, width, laneTop });
  drawMotion(context, scene, { x, width, top: AXIS + 6, bottom: laneTop - 3 });
  drawFuture(context, size, x(scene.nowMs));
  drawRange(context, size, { range: scene.range, x });
  drawLines(context, size, { scene, x });
}

function drawAxis(
  context: CanvasRenderingContext2D,
  { width, height }: { width: number; height: number },
  view: TimelineView,
): void {
  context.font = "11px 'Inter', system-ui, 'Liberation Sans', sans-serif";
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const tick of ticksOf(view, width)) {
    const at = Math.round(toX(view, width, tick.atMs)) + 0.5;
    context.strokeStyle = tick.strong ? COLORS.text : COLORS.tick;
    context.beginPath();
    context.moveTo(at, tick.label === undefined ? AXIS - 4 : 4);
    context.lineTo(at, tick.label === undefined ? AXIS : AXIS + 3);
    context.stroke();
    if (tick.label === undefined) continue;
    context.globalAlpha = 0.35;
    context.beginPath();
    context.moveTo(at, AXIS);
    context.lineTo(at, height);
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = tick.strong ? COLORS.strong : COLORS.text;
    context.fillText(tick.label, at + 5, AXIS / 2);
  }
}

interface Lane {
  readonly x: (atMs: number) => number;
  readonly width: number;
  readonly laneTop: number;
}

function drawLane(context: CanvasRenderingContext2D, scene: TimelineScene, lane: Lane): void {
  const { x, width, laneTop } = lane;
  const bar = (span: { fromMs: number; toMs: number }, least: number) => {
    const from = Math.max(-2, x(span.fromMs));
    const to = Math.min(width + 2, x(span.toMs));
    return to < 0 || from > width ? undefined : { from, size: Math.max(least, to - from) };
  };
  context.fillStyle = '#11161b';
  context.fillRect(0, laneTop, width, LANE);
  const gaps = (intended: boolean) => {
    for (const gap of scene.spans.gaps) {
      const style = GAP_STYLE[gap.reason];
      if (style.intended !== intended) continue;
      const box = bar(gap, intended ? 0.5 : 2);
      if (box === undefined) continue;
      context.fillStyle = style.color;
      context.fillRect(box.from, laneTop, box.size, LANE);
    }
  };
  gaps(true);
  for (const track of ['sub', 'main'] as const) {
    context.fillStyle = track === 'main' ? COLORS.main : COLORS.sub;
    const inset = track === 'main' ? 0 : 5;
    for (const recording of scene.spans.recordings) {
      if (recording.track !== track) continue;
      const box = bar(recording, 1);
      if (box !== undefined) context.fillRect(box.from, laneTop + inset, box.size, LANE - inset);
    }
  }
  // Faults are painted last, so that a short one is not lost in a long view.
  gaps(false);
}

function drawMotion(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  box: { x: (atMs: number) => number; width: number; top: number; bottom: number },
): void {
  const columns = motionColumns(scene.spans, box.x, box.width);
  const room = box.bottom - box.top;
  context.strokeStyle = COLORS.line;
  context.beginPath();
  context.moveTo(0, box.bottom + 0.5);
  context.lineTo(box.width, box.bottom + 0.5);
  context.stroke();
  context.fillStyle = COLORS.motion;
  for (let x = 0; x < columns.length; x += 1) {
    const peak = columns[x] ?? 0;
    if (peak <= 0) continue;
    // The root lifts small movement above one pixel.
    const tall = Math.max(3, Math.sqrt(Math.min(1, peak)) * room);
    context.globalAlpha = 0.55 + 0.45 * Math.min(1, peak);
    context.fillRect(x, box.bottom - tall, 1, tall);
  }
  context.globalAlpha = 1;
}

function drawFuture(
  context: CanvasRenderingContext2D,
  { width, height }: { width: number; height: number },
  nowX: number,
): void {
  if (nowX >= width) return;
  const from = Math.max(0, nowX);
  context.fillStyle = COLORS.future;
  context.fillRect(from, AXIS, width - from, height - AXIS);
  context.strokeStyle = COLORS.accent;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(Math.round(nowX) + 0.5, AXIS);
  context.lineTo(Math.round(nowX) + 0.5, height);
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = COLORS.accent;
  context.fillText('now', Math.round(nowX) + 5, AXIS + 9);
}

function drawRange(
  context: CanvasRenderingContext2D,
  { width, height }: { width: number; height: number },
  { range, x }: { range: TimelineRange; x: (atMs: number) => number },
): void {
  if (range.fromMs === undefined && range.toMs === undefined) return;
  const from = range.fromMs === undefined ? undefined : x(range.fromMs);
  const to = range.toMs === undefined ? undefined : x(range.toMs);
  if (from !== undefined && to !== undefined) {
    context.fillStyle = 'rgba(95, 179, 212, 0.18)';
    context.fillRect(from, AXIS, to - from, height - AXIS);
  }
  context.fillStyle = COLORS.accent;
  for (const [edge, direction] of [
    [from, 1],
    [to, -1],
  ] as const) {
    if (edge === undefined || edge < -4 || edge > width + 4) continue;
    context.fillRect(Math.round(edge) - 1, AXIS, 2, height - AXIS);
    context.fillRect(Math.round(edge) - (direction === 1 ? 1 : 5), AXIS, 6, 2);
    context.fillRect(Math.round(edge) - (direction === 1 ? 1 : 5), height - 2, 6, 2);
  }
}

function drawLines(
  context: CanvasRenderingContext2D,
  { height }: { width: number; height: number },
  { scene, x }: { scene: TimelineScene; x: (atMs: number) => number },
): void {
  if (scene.hoverMs !== undefined) {
    context.fillStyle = 'rgba(242, 246, 249, 0.35)';
    context.fillRect(Math.round(x(scene.hoverMs)), AXIS, 1, height - AXIS);
  }
  if (scene.positionMs === undefined) return;
  const at = Math.round(x(scene.positionMs));
  context.fillStyle = COLORS.white;
  context.fillRect(at - 1, AXIS - 2, 2, height - AXIS + 2);
  context.beginPath();
  context.moveTo(at - 5, AXIS - 7);
  context.lineTo(at + 5, AXIS - 7);
  context.lineTo(at, AXIS);
  context.fill();
}
