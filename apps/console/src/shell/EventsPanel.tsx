// What happened, newest first, at the right edge; a click goes to the camera at that time.

import { ActionIcon, Checkbox } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import type { NightjarEvent } from '#contract';
import { calls } from '../api/calls.js';
import { errorText } from '../api/problem.js';
import { formatClock, formatDay } from '../format.js';
import { useSignal } from '../use-signal.js';
import { EVENT_LEVEL, EVENT_TITLE } from './events.js';
import classes from './Shell.module.css';
import { feedConnected, liveEvents } from './use-event-feed.js';

export function EventsPanel({ onClose }: { onClose: () => void }) {
  const [withMotion, setWithMotion] = useState(false);
  const connected = useSignal(feedConnected);
  const live = useSignal(liveEvents);
  const past = useQuery({ queryKey: ['events'], queryFn: calls.events, staleTime: 0 });
  const events = useMemo(() => {
    const seen = new Map<string, NightjarEvent>();
    for (const event of [...live, ...(past.data?.items ?? [])]) {
      if (!seen.has(event.id)) seen.set(event.id, event);
    }
    return [...seen.values()].sort((a, b) => b.at.localeCompare(a.at));
  }, [live, past.data]);
  const shown = events.filter((event) => withMotion || event.kind !== 'motion').slice(0, 300);
  return (
    <aside className={classes.events} aria-label="Events">
      <div className={classes.eventsHead}>
        <strong>Events</strong>
        <Checkbox
          size="xs"
          label="Motion"
          checked={withMotion}
          onChange={(change) => setWithMotion(change.currentTarget.checked)}
        />
        <ActionIcon aria-label="Close events" size="sm" onClick={onClose}>
          <IconX size={15} />
        </ActionIcon>
      </div>
      {!connected && (
        <p className={classes.eventsNote}>Not connected to the live feed; trying again.</p>
      )}
      {past.isError && <p className={classes.eventsNote}>{errorText(past.error)}</p>}
      {shown.length === 0 && past.isSuccess && (
        <p className={classes.eventsNote}>Nothing has happened yet.</p>
      )}
      <ol>
        {shown.map((event) => (
          <EventRow key={event.id} event={event} />
        ))}
      </ol>
    </aside>
  );
}

function EventRow({ event }: { event: NightjarEvent }) {
  const atMs = Date.parse(event.at);
  const body = (
    <>
      <i className={classes.dot} data-level={EVENT_LEVEL[event.kind]} />
      <div>
        <div className={classes.eventHead}>
          <span>{EVENT_TITLE[event.kind]}</span>
          <time title={formatDay(atMs)}>
            {new Date(atMs).toDateString() === new Date().toDateString()
              ? formatClock(atMs)
              : `${formatDay(atMs)} ${formatClock(atMs)}`}
          </time>
        </div>
        <div className={classes.eventText}>{event.message}</div>
      </div>
    </>
  );
  return (
    <li>
      {event.camera === undefined ? (
        <div className={classes.event}>{body}</div>
      ) : (
        <Link className={classes.event} to={`/cameras/${event.camera}?at=${event.at}`}>
          {body}
        </Link>
      )}
    </li>
  );
}
