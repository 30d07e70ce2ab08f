// What a camera told of itself, in the shape in which people are told.

import type { OnvifCamera, OnvifProfile } from './onvif-camera.js';
import { chooseStreams } from './stream-choice.js';

export interface DeviceSummary {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly ptz: boolean;
  readonly events: boolean;
  readonly clockOffsetMs?: number;
  readonly quirks: { camera: string; fault: string; remedy: string }[];
  readonly profiles: OnvifProfile[];
  /** Tokens of the profiles that suit best. */
  readonly main?: string;
  readonly sub?: string;
}

export function summarize(camera: OnvifCamera): DeviceSummary {
  const { manufacturer, model, firmware } = camera.info;
  const { clockOffsetMs } = camera;
  const choice = chooseStreams(camera.profiles);
  return {
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    ptz: camera.hasPtz,
    events: camera.hasEvents,
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    quirks: camera.quirks.map(({ camera: name, fault, remedy }) => ({
      camera: name,
      fault,
      remedy,
    })),
    profiles: [...camera.profiles],
    ...(choice === undefined ? {} : { main: choice.main.token }),
    ...(choice?.sub === undefined ? {} : { sub: choice.sub.token }),
  };
}
