// The ways to the pages that this role may enter.

import { Menu, UnstyledButton } from '@mantine/core';
import {
  IconBell,
  IconCamera,
  IconDatabase,
  IconFileExport,
  IconHistory,
  IconKeyboard,
  IconLayoutGrid,
  IconLogout,
  IconUser,
  IconUsers,
  IconWalk,
} from '@tabler/icons-react';
import { NavLink } from 'react-router';
import { calls } from '../api/calls.js';
import { closeSession } from '../api/session.js';
import { useHealth } from '../api/queries.js';
import { useMay, useSession } from '../api/use-session.js';
import { storageLevel } from './alarms.js';
import classes from './Shell.module.css';

interface NavRailProps {
  readonly eventsOpen: boolean;
  readonly unseen: number;
  onEvents(): void;
  onHelp(): void;
}

export function NavRail({ eventsOpen, unseen, onEvents, onHelp }: NavRailProps) {
  const may = useMay();
  const session = useSession();
  const level = storageLevel(useHealth());
  const pages = [
    { to: '/', label: 'Live', icon: IconLayoutGrid, shown: true },
    { to: '/cameras', label: 'Cameras', icon: IconCamera, shown: true },
    { to: '/motion', label: 'Motion', icon: IconWalk, shown: true },
    { to: '/exports', label: 'Exports', icon: IconFileExport, shown: may('GET', '/api/exports') },
    { to: '/storage', label: 'Storage', icon: IconDatabase, shown: true },
    { to: '/users', label: 'Users', icon: IconUsers, shown: may('GET', '/api/users') },
    { to: '/audit', label: 'Audit', icon: IconHistory, shown: may('GET', '/api/audit') },
  ];
  const signOut = () =>
    void calls
      .logout()
      .catch(() => undefined)
      .finally(closeSession);
  return (
    <nav className={classes.rail} aria-label="Pages">
      <img src="/favicon.svg" alt="Nightjar" className={classes.logo} />
      {pages
        .filter((page) => page.shown)
        .map(({ to, label, icon: Icon }) => (
          <NavLink key={to} to={to} end={to === '/'} className={classes.railItem ?? ''}>
            <Icon size={20} stroke={1.6} />
            {to === '/storage' && level !== undefined && (
              <b className={classes.railDot} data-level={level} title="Something needs care" />
            )}
            <span>{label}</span>
          </NavLink>
        ))}
      <span className={classes.railSpace} />
      <UnstyledButton
        className={classes.railItem}
        data-active={eventsOpen}
        onClick={onEvents}
        aria-pressed={eventsOpen}
        data-testid="events-toggle"
      >
        <IconBell size={20} stroke={1.6} />
        {unseen > 0 && <b className={classes.unseen}>{unseen > 99 ? '99+' : unseen}</b>}
        <span>Events</span>
      </UnstyledButton>
      <UnstyledButton className={`${classes.railItem} ${classes.railHelp}`} onClick={onHelp}>
        <IconKeyboard size={20} stroke={1.6} />
        <span>Keys</span>
      </UnstyledButton>
      <Menu position="right-end" withinPortal>
        <Menu.Target>
          <UnstyledButton className={classes.railItem} data-testid="user-menu">
            <IconUser size={20} stroke={1.6} />
            <span>{session.me?.user.username}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {session.me?.user.username} · {session.me?.user.role}
          </Menu.Label>
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={signOut} data-testid="logout">
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
