// The first questions to an ONVIF device: what time it has, which services, who it is.

import { NightjarError } from '#base';
import type { GuardedCam } from './guarded-cam.js';
import type { SoapAnswer } from './soap-answer.js';
import type { SoapNode } from './soap-node.js';

export interface OnvifDeviceInfo {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly serialNumber?: string;
  readonly hardware?: string;
}

export interface Introduction {
  readonly info: OnvifDeviceInfo;
  /** Its clock minus ours, to the second; undefined when it does not tell the time. */
  readonly clockOffsetMs: number | undefined;
}

export type Ask = (run: (done: (error: unknown) => void) => void) => Promise<SoapAnswer>;

/** GetDeviceInformation is the first call that needs the credentials: it throws when they are wrong. */
export async function introduce(cam: GuardedCam, ask: Ask): Promise<Introduction> {
  // Its clock first: the digest of a password holds the time, and cameras refuse old ones.
  const askedAtMs = Date.now();
  const time = await ask((done) => cam.getSystemDateAndTime(done)).catch(unlessRefused);
  const clockOffsetMs = offsetOf(time?.node, (askedAtMs + Date.now()) / 2);
  await ask((done) => cam.getServices(true, done)).catch(async (error: unknown) => {
    unlessRefused(error);
    await ask((done) => cam.getCapabilities(done));
  });
  const { node } = await ask((done) => cam.getDeviceInformation(done)).catch((error: unknown) => {
    throw withClock(error, clockOffsetMs);
  });
  const information = node.at('getDeviceInformationResponse');
  if (!information.exists) {
    throw new NightjarError('unsupported', 'the device does not say what it is');
  }
  return { info: infoOf(information), clockOffsetMs };
}

/** A device that knows no such action goes on; one that is not there, or refuses us, does not. */
export function unlessRefused(error: unknown): undefined {
  const code = error instanceof NightjarError ? error.code : 'internal';
  const context = error instanceof NightjarError ? error.context : {};
  const isFault = 'codes' in context || code === 'unsupported';
  if (!isFault || code === 'unauthenticated') throw error;
  return undefined;
}

/** A clock beyond this is told of with a refusal: it may be why. */
const DOUBTFUL_MS = 5000;

function withClock(error: unknown, offsetMs: number | undefined): unknown {
  const refused = error instanceof NightjarError && error.code === 'unauthenticated';
  if (!refused || offsetMs === undefined || Math.abs(offsetMs) < DOUBTFUL_MS) return error;
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const way = offsetMs > 0 ? 'ahead of' : 'behind';
  return new NightjarError(
    'unauthenticated',
    `${error.message}; its clock is ${seconds} s ${way} ours, which was made up for but may be the reason`,
    error.context,
    error,
  );
}

function offsetOf(node: SoapNode | undefined, nowMs: number): number | undefined {
  const utc = node?.at('getSystemDateAndTimeResponse', 'systemDateAndTime', 'UTCDateTime');
  if (utc?.exists !== true) return undefined;
  const parts = [
    utc.at('date', 'year').number,
    utc.at('date', 'month').number,
    utc.at('date', 'day').number,
    utc.at('time', 'hour').number,
    utc.at('time', 'minute').number,
    utc.at('time', 'second').number,
  ];
  const [year, month, day, hour, minute, second] = parts.map((part) => part ?? NaN);
  const unixMs = Date.UTC(
    year ?? NaN,
    (month ?? NaN) - 1,
    day ?? NaN,
    hour ?? NaN,
    minute ?? NaN,
    second ?? NaN,
  );
  // It tells whole seconds: in the middle of one it is right on average.
  return Number.isFinite(unixMs) ? Math.round(unixMs + 500 - nowMs) : undefined;
}

function infoOf(node: SoapNode): OnvifDeviceInfo {
  const manufacturer = node.at('manufacturer').text;
  const model = node.at('model').text;
  const firmware = node.at('firmwareVersion').text;
  const serialNumber = node.at('serialNumber').text;
  const hardware = node.at('hardwareId').text;
  return {
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(hardware === undefined ? {} : { hardware }),
  };
}
