// Events as the console shows them: which are worth a toast, and what each touches.

import type { NightjarEvent } from '#contract';

type EventLevel = 'ok' | 'quiet' | 'warn' | 'bad';

export const EVENT_LEVEL: Record<NightjarEvent['kind'], EventLevel> = {
  'camera-online': 'ok',
  'camera-offline': 'bad',
  motion: 'quiet',
  storage: 'warn',
  'recorder-lost': 'bad',
  'recorder-back': 'ok',
  export: 'quiet',
  configuration: 'quiet',
};

export const EVENT_TITLE: Record<NightjarEvent['kind'], string> = {
  'camera-online': 'Camera online',
  'camera-offline': 'Camera offline',
  motion: 'Motion',
  storage: 'Storage',
  'recorder-lost': 'Recorder lost',
  'recorder-back': 'Recorder back',
  export: 'Export',
  configuration: 'Configuration',
};

/** Calm: only what somebody may have to act on interrupts. */
export const deservesToast = (kind: NightjarEvent['kind']): boolean =>
  EVENT_LEVEL[kind] === 'bad' || kind === 'storage' || kind === 'recorder-back';

/** The query that an event makes stale. */
export function staleKey(kind: NightjarEvent['kind']): string | undefined {
  switch (kind) {
    case 'camera-online':
    case 'camera-offline':
      return 'status';
    case 'storage':
      return 'storage';
    case 'export':
      return 'exports';
    case 'configuration':
      return 'cameras';
    default:
      return undefined;
  }
}
