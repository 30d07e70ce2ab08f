// One found movement: when, how long, how much, and where in the picture.

import { useState } from 'react';
import { Link } from 'react-router';
import { CELL_COLUMNS, CELL_ROWS, type MotionEvent } from '#contract';
import { fillPath } from '../api/paths.js';
import { formatClock, formatDay, formatPercent, formatSpan } from '../format.js';
import classes from '../pages/Pages.module.css';
import { cellPlace } from './region.js';

export function MotionCard({ item, name }: { item: MotionEvent; name: string }) {
  const [missing, setMissing] = useState(false);
  const fromMs = Date.parse(item.from);
  const toMs = Date.parse(item.to);
  // The middle shows the mover better than the first stirring.
  const pictureMs = Math.round((fromMs + Math.min(toMs, fromMs + 20_000)) / 2);
  return (
    <Link
      className={classes.card}
      to={`/cameras/${item.camera}?at=${new Date(fromMs - 1000).toISOString()}`}
      data-testid="motion-item"
    >
      <div className={classes.thumb}>
        {missing ? (
          'No picture kept'
        ) : (
          <div className={classes.thumbPicture}>
            <img
              alt=""
              loading="lazy"
              decoding="async"
              src={fillPath(
                '/api/cameras/:id/frame.jpg',
                { id: item.camera },
                { at: pictureMs, height: 180 },
              )}
              onError={() => setMissing(true)}
            />
            <svg viewBox={`0 0 ${CELL_COLUMNS} ${CELL_ROWS}`} preserveAspectRatio="none">
              <path className={classes.cell} d={outline(item.cells)} />
            </svg>
          </div>
        )}
      </div>
      <div className={classes.cardText}>
        <b>{name}</b>
        <span>{formatPercent(item.peak)}</span>
        <span>
          {formatDay(fromMs)} {formatClock(fromMs)}
        </span>
        <span>{formatSpan(toMs - fromMs)}</span>
        {item.cells.length === 0 && <span>told by the camera, place not known</span>}
      </div>
    </Link>
  );
}

/** The outer edges of the moved cells. */
function outline(cells: readonly number[]): string {
  const moved = new Set(cells);
  const parts: string[] = [];
  for (const cell of cells) {
    const { column, row } = cellPlace(cell);
    if (row === 0 || !moved.has(cell - CELL_COLUMNS)) parts.push(`M${column} ${row}h1`);
    if (row === CELL_ROWS - 1 || !moved.has(cell + CELL_COLUMNS))
      parts.push(`M${column} ${row + 1}h1`);
    if (column === 0 || !moved.has(cell - 1)) parts.push(`M${column} ${row}v1`);
    if (column === CELL_COLUMNS - 1 || !moved.has(cell + 1)) parts.push(`M${column + 1} ${row}v1`);
  }
  return parts.join('');
}
