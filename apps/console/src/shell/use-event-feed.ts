// Keeps the event feed open while somebody is signed in: list, toasts and stale queries.

import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { NightjarEvent } from '#contract';
import { EventFeed } from '../api/event-feed.js';
import { Signal } from '../signal.js';
import { deservesToast, EVENT_LEVEL, EVENT_TITLE, staleKey } from './events.js';

const MAX_EVENTS = 500;

/** Events that came live, newest first; older ones are a query. */
export const liveEvents = new Signal<readonly NightjarEvent[]>([]);
export const feedConnected = new Signal(true);

export function useEventFeed(): void {
  const client = useQueryClient();
  const [started] = useState(() => Date.now());
  useEffect(() => {
    const feed = new EventFeed((event) => {
      if (liveEvents.get().some((known) => known.id === event.id)) return;
      liveEvents.set([event, ...liveEvents.get()].slice(0, MAX_EVENTS));
      const key = staleKey(event.kind);
      if (key !== undefined) void client.invalidateQueries({ queryKey: [key] });
      if (deservesToast(event.kind) && Date.parse(event.at) > started - 10_000) {
        notifications.show({
          id: `${event.kind}-${event.camera ?? ''}`,
          title: EVENT_TITLE[event.kind],
          message: event.message,
          color: EVENT_LEVEL[event.kind] === 'bad' ? 'red' : 'accent',
          autoClose: 7000,
          withBorder: true,
        });
      }
    });
    const stop = feed.connected.subscribe(() => feedConnected.set(feed.connected.get()));
    return () => {
      stop();
      feed.close();
    };
  }, [client, started]);
}
