// What is wrong with recorders and disks, under the header of every page, until it is mended.

import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useHealth } from '../api/queries.js';
import { toSentence } from '../format.js';
import { alarmsOf } from './alarms.js';
import classes from './Shell.module.css';

const SHOWN = 2;

export function AlarmBar() {
  const alarms = alarmsOf(useHealth());
  if (alarms.length === 0) return null;
  const more = alarms.length - SHOWN;
  return (
    <Link to="/storage" className={classes.alarm} role="alert" data-testid="alarm-bar">
      <IconAlertTriangle size={16} aria-hidden />
      <ul>
        {alarms.slice(0, SHOWN).map(({ recorder, message }) => (
          <li key={`${recorder ?? ''} ${message}`}>
            {toSentence(message)}
            {recorder !== undefined && <small>{recorder}</small>}
          </li>
        ))}
        {more > 0 && <li className={classes.alarmMore}>and {more} more: see Storage</li>}
      </ul>
    </Link>
  );
}
