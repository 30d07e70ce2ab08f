// Every key of the console, in one table: the handlers and the help overlay both read it.

export interface Binding {
  /** As `keyName` writes them. */
  readonly keys: readonly string[];
  readonly action: string;
  readonly label: string;
}

export const KEYBOARD = {
  everywhere: [
    { keys: ['?'], action: 'help', label: 'Show or hide these keys' },
    { keys: ['/', 'G'], action: 'jump', label: 'Go to a camera by name' },
    { keys: ['W'], action: 'wall', label: 'Live wall' },
    { keys: ['C'], action: 'cameras', label: 'Cameras' },
    { keys: ['M'], action: 'motion', label: 'Motion search' },
    { keys: ['X'], action: 'exports', label: 'Exports' },
    { keys: ['E'], action: 'events', label: 'Show or hide events' },
  ],
  wall: [
    { keys: ['1 … 99'], action: 'number', label: 'Open the camera with this number' },
    {
      keys: ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'],
      action: 'select',
      label: 'Select a tile',
    },
    { keys: ['Enter'], action: 'open', label: 'Open the selected camera' },
    { keys: ['PageDown', 'N'], action: 'nextPage', label: 'Next page of cameras' },
    { keys: ['PageUp', 'B'], action: 'previousPage', label: 'Previous page of cameras' },
    { keys: ['F'], action: 'fullScreen', label: 'Full screen' },
  ],
  camera: [
    { keys: ['Space', 'K'], action: 'toggle', label: 'Play or pause' },
    { keys: ['ArrowLeft'], action: 'back', label: '5 seconds back' },
    { keys: ['ArrowRight'], action: 'forward', label: '5 seconds forward' },
    { keys: ['Shift+ArrowLeft'], action: 'backMore', label: '1 minute back' },
    { keys: ['Shift+ArrowRight'], action: 'forwardMore', label: '1 minute forward' },
    { keys: ['J'], action: 'reverse', label: 'Play backwards; again for faster' },
    { keys: ['L'], action: 'faster', label: 'Play; again for faster' },
    { keys: [','], action: 'frameBack', label: 'One frame back' },
    { keys: ['.'], action: 'frameForward', label: 'One frame forward' },
    { keys: ['['], action: 'previousMotion', label: 'Previous motion' },
    { keys: [']'], action: 'nextMotion', label: 'Next motion' },
    { keys: ['Home', 'H'], action: 'live', label: 'Go live' },
    { keys: ['I'], action: 'markIn', label: 'Mark the start of a range' },
    { keys: ['O'], action: 'markOut', label: 'Mark the end of a range' },
    { keys: ['Escape'], action: 'clear', label: 'Clear the range' },
    { keys: ['D'], action: 'download', label: 'Download the range as one clip' },
    { keys: ['S'], action: 'snapshot', label: 'Save the picture' },
    { keys: ['+', '='], action: 'zoomIn', label: 'Timeline: less time, more detail' },
    { keys: ['-'], action: 'zoomOut', label: 'Timeline: more time' },
    { keys: ['P'], action: 'ptz', label: 'Steer the camera with the arrow keys' },
    { keys: ['F'], action: 'fullScreen', label: 'Full screen' },
  ],
} as const satisfies Record<string, readonly Binding[]>;

export type Scope = keyof typeof KEYBOARD;
export type ActionOf<S extends Scope> = (typeof KEYBOARD)[S][number]['action'];

interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The table's name of a key press; undefined for the browser's own chords. */
export function keyName(press: KeyPress): string | undefined {
  if (press.ctrlKey || press.altKey || press.metaKey) return undefined;
  if (press.key === ' ') return 'Space';
  if (press.key.length === 1) return press.key.toUpperCase();
  return press.shiftKey ? `Shift+${press.key}` : press.key;
}

export function actionOf<S extends Scope>(scope: S, press: KeyPress): ActionOf<S> | undefined {
  const name = keyName(press);
  if (name === undefined) return undefined;
  if (scope === 'wall' && /^\d$/.test(name)) return 'number';
  const bindings: readonly Binding[] = KEYBOARD[scope];
  const found = bindings.find((binding) => binding.keys.includes(name));
  return found?.action as ActionOf<S> | undefined;
}

const SYMBOLS: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
};

/** `Shift+ArrowLeft` as people read it: `Shift ←`. */
export const keyLabel = (key: string): string =>
  key
    .split('+')
    .map((part) => SYMBOLS[part] ?? part)
    .filter((part) => part !== '')
    .join(' ') || '+';
