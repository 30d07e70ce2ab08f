// What the controllers lean on: opened once, by the module.

import type { Clock, Log } from '#base';
import type { Playback, Recorder } from '#pipeline';
import type { RecorderConfig } from './config.js';
import type { ControlLink } from './control-link.js';

export interface Parts {
  readonly config: RecorderConfig;
  readonly recorder: Recorder;
  readonly playback: Playback;
  readonly link: ControlLink;
  readonly clock: Clock;
  readonly log: Log;
}

export const PARTS = Symbol('parts');
