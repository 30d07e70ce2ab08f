// A camera as its form holds it, and the bodies that adding and changing one send.

import type { Camera, Location, Polygon, RecordingMode, ScheduleEntry } from '#contract';
import type { Body } from '../api/calls.js';
import { withCredentials } from './stream-url.js';

export interface CameraDraft {
  readonly name: string;
  readonly mainUrl: string;
  readonly subUrl: string;
  readonly username: string;
  readonly password: string;
  readonly transport: 'tcp' | 'udp' | 'http';
  readonly onvifUrl: string;
  readonly mode: RecordingMode;
  readonly preRollSeconds: number;
  readonly postRollSeconds: number;
  readonly schedule: readonly ScheduleEntry[];
  readonly days: number;
  /** Undefined: no such rule. */
  readonly motionDays: number | undefined;
  readonly lowresDays: number | undefined;
  readonly minDays: number | undefined;
  readonly maxGigabytes: number | undefined;
  readonly whenFull: 'oldest-first' | 'stop-recording';
  readonly motionSource: Camera['motion']['source'];
  readonly sensitivity: number;
  readonly zones: readonly Polygon[];
  readonly masks: readonly Polygon[];
  readonly location: Location | undefined;
}

/** What every section of the form is given. */
export interface DraftProps {
  readonly draft: CameraDraft;
  onChange(change: Partial<CameraDraft>): void;
}

export const EMPTY_DRAFT: CameraDraft = {
  name: '',
  mainUrl: '',
  subUrl: '',
  username: '',
  password: '',
  transport: 'tcp',
  onvifUrl: '',
  mode: 'motion',
  preRollSeconds: 5,
  postRollSeconds: 10,
  schedule: [],
  days: 30,
  motionDays: undefined,
  lowresDays: undefined,
  minDays: undefined,
  maxGigabytes: undefined,
  whenFull: 'oldest-first',
  motionSource: 'video',
  sensitivity: 0.5,
  zones: [],
  masks: [],
  location: undefined,
};

export function draftOf(camera: Camera): CameraDraft {
  return {
    name: camera.name,
    mainUrl: camera.streams.main,
    subUrl: camera.streams.sub ?? '',
    username: '',
    password: '',
    transport: camera.transport,
    onvifUrl: camera.onvif?.url ?? '',
    mode: camera.recording.mode,
    preRollSeconds: camera.recording.preRollSeconds,
    postRollSeconds: camera.recording.postRollSeconds,
    schedule: camera.recording.schedule ?? [],
    ...retentionDraftOf(camera),
    motionSource: camera.motion.source,
    sensitivity: camera.motion.sensitivity,
    zones: camera.motion.zones ?? [],
    masks: camera.motion.masks ?? [],
    location: camera.location,
  };
}

/** Its part of the form; it also changes when somebody confirms what waits. */
export function retentionDraftOf({ retention }: Pick<Camera, 'retention'>) {
  const { days, motionDays, lowresDays, minDays, maxBytes, whenFull } = retention;
  return {
    ...{ days, motionDays, lowresDays, minDays, whenFull: whenFull ?? 'oldest-first' },
    maxGigabytes: maxBytes === undefined ? undefined : maxBytes / 1e9,
  } satisfies Partial<CameraDraft>;
}

const toBytes = (gigabytes: number): number => Math.round(gigabytes * 1e9);

export function addBody(draft: CameraDraft): Body {
  const { username, password } = draft;
  const url = (text: string) => withCredentials(text.trim(), username, password);
  return {
    name: draft.name.trim(),
    streams: {
      main: url(draft.mainUrl),
      ...(draft.subUrl.trim() === '' ? {} : { sub: url(draft.subUrl) }),
    },
    ...(draft.onvifUrl.trim() === ''
      ? {}
      : {
          onvif: { url: draft.onvifUrl.trim(), ...(username === '' ? {} : { username, password }) },
        }),
    transport: draft.transport,
    recording: {
      mode: draft.mode,
      preRollSeconds: draft.preRollSeconds,
      postRollSeconds: draft.postRollSeconds,
      ...(draft.schedule.length === 0 ? {} : { schedule: draft.schedule }),
    },
    retention: {
      days: draft.days,
      ...(draft.motionDays === undefined ? {} : { motionDays: draft.motionDays }),
      ...(draft.lowresDays === undefined ? {} : { lowresDays: draft.lowresDays }),
      ...(draft.minDays === undefined ? {} : { minDays: draft.minDays }),
      ...(draft.whenFull === 'oldest-first' ? {} : { whenFull: draft.whenFull }),
      ...(draft.maxGigabytes === undefined ? {} : { maxBytes: toBytes(draft.maxGigabytes) }),
    },
    motion: {
      source: draft.motionSource,
      sensitivity: draft.sensitivity,
      ...(draft.zones.length === 0 ? {} : { zones: draft.zones }),
      ...(draft.masks.length === 0 ? {} : { masks: draft.masks }),
    },
    ...(draft.location === undefined ? {} : { location: draft.location }),
  };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * Only what changed. Stream addresses come out of the server without user and password, so an
 * untouched address must not go back in.
 */
export function changeBody(before: CameraDraft, after: CameraDraft): Body {
  const body: Record<string, unknown> = {};
  const section = (name: string, fields: Record<string, [unknown, unknown, unknown?]>) => {
    const changed = Object.entries(fields).filter(([, [old, fresh]]) => !same(old, fresh));
    if (changed.length === 0) return;
    body[name] = Object.fromEntries(
      changed.map(([field, [, fresh, sent]]) => [
        field,
        sent === undefined ? (fresh ?? null) : sent,
      ]),
    );
  };
  if (before.name !== after.name) body['name'] = after.name.trim();
  if (before.transport !== after.transport) body['transport'] = after.transport;
  const credentials = after.username !== '';
  const url = (text: string) => withCredentials(text.trim(), after.username, after.password);
  const streams: Record<string, unknown> = {};
  if (before.mainUrl !== after.mainUrl || credentials) streams['main'] = url(after.mainUrl);
  if (after.subUrl.trim() === '') {
    if (before.subUrl !== '') streams['sub'] = null;
  } else if (before.subUrl !== after.subUrl || credentials) {
    streams['sub'] = url(after.subUrl);
  }
  if (Object.keys(streams).length > 0) body['streams'] = streams;
  if (before.onvifUrl !== after.onvifUrl || (credentials && after.onvifUrl !== '')) {
    body['onvif'] =
      after.onvifUrl.trim() === ''
        ? null
        : {
            url: after.onvifUrl.trim(),
            ...(credentials ? { username: after.username, password: after.password } : {}),
          };
  }
  section('recording', {
    mode: [before.mode, after.mode],
    preRollSeconds: [before.preRollSeconds, after.preRollSeconds],
    postRollSeconds: [before.postRollSeconds, after.postRollSeconds],
    schedule: [
      before.schedule,
      after.schedule,
      after.schedule.length === 0 ? null : after.schedule,
    ],
  });
  section('retention', {
    days: [before.days, after.days],
    motionDays: [before.motionDays, after.motionDays],
    lowresDays: [before.lowresDays, after.lowresDays],
    minDays: [before.minDays, after.minDays],
    whenFull: [before.whenFull, after.whenFull],
    maxBytes: [
      before.maxGigabytes,
      after.maxGigabytes,
      after.maxGigabytes === undefined ? null : toBytes(after.maxGigabytes),
    ],
  });
  section('motion', {
    source: [before.motionSource, after.motionSource],
    sensitivity: [before.sensitivity, after.sensitivity],
    zones: [before.zones, after.zones, after.zones.length === 0 ? null : after.zones],
    masks: [before.masks, after.masks, after.masks.length === 0 ? null : after.masks],
  });
  if (!same(before.location, after.location)) body['location'] = after.location ?? null;
  return body;
}
