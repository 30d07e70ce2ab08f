// Calls a page's handlers for the keys of its scope, never while somebody types or a dialog is open.

import { useEffect, useRef } from 'react';
import { actionOf, type ActionOf, type Scope } from './keyboard-map.js';

type Handlers<S extends Scope> = Partial<Record<ActionOf<S>, (event: KeyboardEvent) => void>>;

function belongsToField(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches('input:not([type=checkbox]), textarea, select')) {
    return true;
  }
  // A focused button or link takes Space and Enter, and a slider or the PTZ stick the arrows.
  if (target.matches('button, a[href], [role=button]')) return key === ' ' || key === 'Enter';
  return target.matches('[role=slider], [data-arrow-keys]') && key.startsWith('Arrow');
}

const dialogIsOpen = (): boolean =>
  document.querySelector('[role=dialog][aria-modal=true]') !== null;

export function useKeys<S extends Scope>(scope: S, handlers: Handlers<S>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || belongsToField(event.target, event.key)) return;
      const action = actionOf(scope, event);
      if (action === undefined) return;
      if (dialogIsOpen() && action !== 'help') return;
      const handler = latest.current[action];
      if (handler === undefined) return;
      event.preventDefault();
      handler(event);
    };
    globalThis.addEventListener('keydown', onKey);
    return () => globalThis.removeEventListener('keydown', onKey);
  }, [scope]);
}
