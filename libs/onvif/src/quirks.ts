// What cameras do wrong, by the name that they give themselves, and what we do instead.

import type { OnvifDeviceInfo } from './introduction.js';

/** How a camera is treated; the defaults are for one that keeps to the standard. */
export interface Behaviour {
  /** How long one PullMessages may wait inside the camera. */
  readonly pullTimeoutMs: number;
  /** Rest between two pulls, for cameras that answer at once whatever they were asked. */
  readonly pullPauseMs: number;
  /** `recreate`: its Renew does not work, so a new subscription takes the old one's place. */
  readonly keepAlive: 'renew' | 'recreate';
  /** `ours`: its termination times are false; the time that we asked for counts. */
  readonly termination: 'camera' | 'ours';
  /** An alarm that is not repeated ends after this. */
  readonly unconfirmedEndMs: number;
  /** `repeat`: it never says that an alarm ended, so there is nothing to ask it for either. */
  readonly alarmEnd: 'message' | 'repeat';
}

export interface Quirk {
  /** The camera's name, as people know it. */
  readonly camera: string;
  readonly manufacturer?: RegExp;
  readonly model?: RegExp;
  readonly firmware?: RegExp;
  /** What it does wrong. */
  readonly fault: string;
  /** What we do instead. */
  readonly remedy: string;
  /** Where that is told. */
  readonly source: string;
  readonly behaviour: Partial<Behaviour>;
}

export const STANDARD_BEHAVIOUR: Behaviour = {
  pullTimeoutMs: 20_000,
  pullPauseMs: 0,
  keepAlive: 'renew',
  termination: 'camera',
  unconfirmedEndMs: 60_000,
  alarmEnd: 'message',
};

/** Every row that fits is applied, in this order: later ones win. */
export const QUIRKS: readonly Quirk[] = [
  {
    camera: 'TP-Link Tapo',
    manufacturer: /^tp-?link$|^tapo$/i,
    fault: 'closes the connection of a PullMessages after 10 s, whatever timeout was asked for',
    remedy: 'PullMessages waits at most 5 s',
    source: 'https://github.com/agsh/onvif/issues/312',
    behaviour: { pullTimeoutMs: 5000 },
  },
  {
    camera: 'Reolink',
    manufacturer: /reolink/i,
    fault: 'firmware of 2021 and before tells when movement begins and not when it ends',
    remedy: 'an alarm that is not repeated for 20 s has ended',
    source: 'https://github.com/fwestenberg/reolink_dev/issues/265',
    behaviour: { alarmEnd: 'repeat', unconfirmedEndMs: 20_000 },
  },
  {
    camera: 'XiongMai (XM530, sold under many names)',
    model: /XM530|_XM\d{3}|IPC_XM/i,
    fault: 'answers every Renew with 400 Bad Request',
    remedy: 'a new subscription takes the place of one that is about to end',
    source: 'https://github.com/mvantellingen/python-zeep/issues/1205',
    behaviour: { keepAlive: 'recreate' },
  },
  {
    camera: 'ONVIF_IPNC F4G (sold under many names)',
    manufacturer: /^ONVIF_IPNC$/i,
    fault: 'knows its own subscription no more when asked to renew it (ResourceUnknownFault)',
    remedy: 'a new subscription takes the place of one that is about to end',
    source: 'https://github.com/home-assistant/core/issues/81963',
    behaviour: { keepAlive: 'recreate' },
  },
  {
    camera: 'Vista',
    manufacturer: /^vista/i,
    fault: 'says of a subscription with time left that it ends now',
    remedy: 'its termination times are passed over; the subscription is renewed by our own count',
    source: 'https://github.com/agsh/onvif/blob/master/lib/events.js',
    behaviour: { termination: 'ours' },
  },
  {
    camera: 'Avigilon',
    manufacturer: /avigilon/i,
    fault: 'sends its log as events, several a second, each in an answer of its own',
    remedy: 'one second of rest between two pulls',
    source: 'https://github.com/agsh/onvif/issues/24',
    behaviour: { pullPauseMs: 1000 },
  },
];

export interface FoundQuirks {
  readonly behaviour: Behaviour;
  /** The rows that apply, to be told to people. */
  readonly rows: readonly Quirk[];
}

/** What is known of a device that tells this of itself. */
export function quirksOf(info: OnvifDeviceInfo, table: readonly Quirk[] = QUIRKS): FoundQuirks {
  const rows = table.filter(
    ({ manufacturer, model, firmware }) =>
      fits(manufacturer, info.manufacturer) &&
      fits(model, info.model) &&
      fits(firmware, info.firmware),
  );
  const behaviour = Object.assign(
    { ...STANDARD_BEHAVIOUR },
    ...rows.map((row) => row.behaviour),
  ) as Behaviour;
  return { behaviour, rows };
}

function fits(pattern: RegExp | undefined, text: string | undefined): boolean {
  return pattern === undefined || (text !== undefined && pattern.test(text.slice(0, 256)));
}
