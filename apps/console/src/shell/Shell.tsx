// What surrounds every page: rail, events, help, and the keys that work everywhere.

import { Suspense, useEffect, useState } from 'react';
import { Outlet, useLocation, useNavigate } from 'react-router';
import { useSignal } from '../use-signal.js';
import { CameraJump } from './CameraJump.js';
import { EVENT_LEVEL } from './events.js';
import { EventsPanel } from './EventsPanel.js';
import { HelpOverlay } from './HelpOverlay.js';
import { NavRail } from './NavRail.js';
import classes from './Shell.module.css';
import { liveEvents, useEventFeed } from './use-event-feed.js';
import { useKeys } from './use-keys.js';

export function Shell() {
  const navigate = useNavigate();
  const location = useLocation();
  const [help, setHelp] = useState(false);
  const [jump, setJump] = useState(false);
  const [events, setEvents] = useState(() => localStorage.getItem('nightjar.events') === 'open');
  const [seenAt, setSeenAt] = useState(() => new Date().toISOString());
  useEventFeed();
  const live = useSignal(liveEvents);
  const toggleEvents = () => setEvents(!events);
  useEffect(() => {
    localStorage.setItem('nightjar.events', events ? 'open' : 'closed');
    return () => setSeenAt(new Date().toISOString());
  }, [events]);
  useEffect(() => setHelp(false), [location.pathname]);
  useKeys('everywhere', {
    help: () => setHelp((open) => !open),
    jump: () => setJump(true),
    wall: () => void navigate('/'),
    cameras: () => void navigate('/cameras'),
    motion: () => void navigate('/motion'),
    exports: () => void navigate('/exports'),
    events: toggleEvents,
  });
  const unseen = events
    ? 0
    : live.filter((event) => event.at > seenAt && EVENT_LEVEL[event.kind] !== 'quiet').length;
  return (
    <div className={classes.shell}>
      <NavRail
        eventsOpen={events}
        unseen={unseen}
        onEvents={toggleEvents}
        onHelp={() => setHelp(true)}
      />
      <div className={classes.stage}>
        <Suspense fallback={<div className={classes.page} />}>
          <Outlet />
        </Suspense>
      </div>
      {events && <EventsPanel onClose={() => setEvents(false)} />}
      <HelpOverlay opened={help} onClose={() => setHelp(false)} />
      <CameraJump opened={jump} onClose={() => setJump(false)} />
    </div>
  );
}
