// Who is signed in: kept in memory, with a mark in local storage that a session may exist.

import type { Me } from '#contract';
import { Signal } from '../signal.js';

interface SessionState {
  readonly kind: 'unknown' | 'signed-out' | 'signed-in';
  readonly me?: Me;
}

const MARK = 'nightjar.session';

/** Without the mark there is no cookie either, and the first page is sign-in at once. */
export const sessionSignal = new Signal<SessionState>(
  localStorage.getItem(MARK) === null ? { kind: 'signed-out' } : { kind: 'unknown' },
);

export function openSession(me: Me): void {
  localStorage.setItem(MARK, me.expiresAt);
  sessionSignal.set({ kind: 'signed-in', me });
}

export function closeSession(): void {
  localStorage.removeItem(MARK);
  if (sessionSignal.get().kind !== 'signed-out') sessionSignal.set({ kind: 'signed-out' });
}

export function csrfToken(): string | undefined {
  return sessionSignal.get().me?.csrfToken;
}
