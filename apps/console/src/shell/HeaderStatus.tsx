// The state of the house in one line: cameras, recording, disks, the clock.

import { Link } from 'react-router';
import { useCameras, useHealth, useStatuses } from '../api/queries.js';
import { formatClock, formatDay } from '../format.js';
import classes from './Shell.module.css';
import { summarise } from './summary.js';
import { useNow } from './use-now.js';

export function HeaderStatus() {
  const { cameras } = useCameras();
  const { statuses, isError } = useStatuses();
  const health = useHealth();
  const summary = summarise({
    cameras,
    statuses,
    health,
    serverAnswers: !isError,
  });
  return (
    <div className={classes.status}>
      {summary.map((item) => (
        <Link
          key={item.text}
          to={item.to}
          className={classes.statusItem}
          data-level={item.level}
          title={item.hint}
        >
          <i className={classes.dot} data-level={item.level} />
          {item.text}
        </Link>
      ))}
      <Clock />
    </div>
  );
}

function Clock() {
  const nowMs = useNow();
  return (
    <time className={classes.clock}>
      <span>{formatDay(nowMs)}</span> {formatClock(nowMs)}
    </time>
  );
}
