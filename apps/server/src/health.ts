// Whether recording is as declared, and why not: with everything that is known for whoever may see
// it, and in words that name no camera, path or address for everybody else.

import type { Camera, CameraStatus, Health } from '#contract';

export interface HealthFacts {
  readonly cameras: readonly Camera[];
  readonly states: ReadonlyMap<string, CameraStatus>;
  /** Those that answered, and those that did not. */
  readonly recorders: readonly string[];
  readonly lostRecorders: readonly string[];
  readonly recorderFaults: readonly {
    readonly recorder: string;
    readonly message: string;
    /** What it calls such faults. */
    readonly kind?: string | undefined;
    readonly device?: string | undefined;
  }[];
  readonly recorderWarnings: readonly { readonly recorder: string; readonly message: string }[];
  readonly isDatabaseAway: boolean;
}

type Fault = Health['faults'][number];

const DATABASE_AWAY = 'the database does not answer: recording goes on, nothing can be changed';
const NO_RECORDER = 'no recorder has announced itself';

export function healthOf(facts: HealthFacts): Health {
  const faults: Fault[] = facts.lostRecorders.map((recorder) => ({
    ...{ kind: 'recorder-lost', recorder, message: `recorder ${recorder} does not answer` },
  }));
  for (const { recorder, message } of facts.recorderFaults) {
    faults.push({ kind: 'recorder', recorder, message });
  }
  if (hasNoRecorder(facts)) faults.push({ kind: 'recorder-lost', message: NO_RECORDER });
  for (const camera of facts.cameras) {
    const message = cameraFault(camera, facts.states.get(camera.id));
    if (message !== undefined) faults.push({ kind: 'camera', camera: camera.id, message });
  }
  const warnings = facts.recorderWarnings.map(({ recorder, message }) => `${recorder}: ${message}`);
  return answerOf(faults, facts.isDatabaseAway ? [DATABASE_AWAY, ...warnings] : warnings);
}

/** By the kind that a recorder gives its fault; of anything else only that there is something. */
const KINDS: ReadonlyMap<string, readonly [one: string, many: string]> = new Map([
  ['disk-failed', ['disk cannot be used', 'disks cannot be used']],
  ['disk-full', ['disk is full', 'disks are full']],
  ['disk-slow', ['disk is slow', 'disks are slow']],
  [
    'disk-low',
    [
      'disk is low, and nothing more may be deleted',
      'disks are low, and nothing more may be deleted',
    ],
  ],
  ['warm-tier', ['warm tier takes nothing new', 'warm tiers take nothing new']],
  ['index', ['index cannot be written', 'indexes cannot be written']],
]);
const OTHER = ['recorder has a fault', 'recorders have a fault'] as const;

export function publicHealthOf(facts: HealthFacts): Health {
  const faults: Fault[] = [];
  const lost = facts.lostRecorders.length;
  if (lost > 0) {
    const all = lost + facts.recorders.length;
    const message = `${lost} of ${all} recorders ${lost === 1 ? 'does' : 'do'} not answer`;
    faults.push({ kind: 'recorder-lost', message });
  }
  for (const message of recorderWords(facts)) faults.push({ kind: 'recorder', message });
  if (hasNoRecorder(facts)) faults.push({ kind: 'recorder-lost', message: NO_RECORDER });
  const declared = facts.cameras.filter(isDeclared);
  const failing = declared.filter(
    (camera) => cameraFault(camera, facts.states.get(camera.id)) !== undefined,
  ).length;
  if (failing > 0) {
    const verb = failing === 1 ? 'does' : 'do';
    const message = `${failing} of ${declared.length} cameras ${verb} not record`;
    faults.push({ kind: 'camera', message });
  }
  const warning = new Set(facts.recorderWarnings.map(({ recorder }) => recorder)).size;
  const words = `${warning} of ${facts.recorders.length} recorders ${warning === 1 ? 'warns' : 'warn'} of stored footage`;
  return answerOf(faults, [
    ...(facts.isDatabaseAway ? [DATABASE_AWAY] : []),
    ...(warning === 0 ? [] : [words]),
  ]);
}

/** A disk that several recorders share counts once. */
function recorderWords({ recorderFaults }: HealthFacts): string[] {
  const found = new Map<readonly [string, string], Set<string>>();
  for (const [index, { recorder, kind = '', device }] of recorderFaults.entries()) {
    const words = KINDS.get(kind) ?? OTHER;
    const what = words === OTHER ? recorder : (device ?? String(index));
    found.set(words, (found.get(words) ?? new Set()).add(what));
  }
  return [...found].map(([[one, many], { size }]) => `${size} ${size === 1 ? one : many}`);
}

function answerOf(faults: Fault[], warnings: string[]): Health {
  return { status: faults.length === 0 ? 'ok' : 'failing', faults, warnings };
}

function hasNoRecorder({ recorders, lostRecorders, cameras }: HealthFacts): boolean {
  return recorders.length === 0 && lostRecorders.length === 0 && cameras.length > 0;
}

function isDeclared({ recording }: Camera): boolean {
  return recording.mode !== 'off' || (recording.schedule ?? []).length > 0;
}

/** Why a camera is not recorded as declared; undefined when it is. */
function cameraFault(camera: Camera, status: CameraStatus | undefined): string | undefined {
  if (!isDeclared(camera)) return undefined;
  if (status === undefined) return 'its recorder tells nothing of it';
  if (status.state === 'disabled') return undefined;
  if (status.state !== 'online') return `the camera is ${status.state}`;
  const { active, mode, reason } = status.recording;
  if (active || mode === 'off') return undefined;
  if (reason === 'no-motion' || (reason === undefined && mode !== 'continuous')) return undefined;
  return `nothing is being kept: ${reason ?? 'unknown'}`;
}
