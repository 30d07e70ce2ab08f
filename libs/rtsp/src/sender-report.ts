// RTCP sender reports (RFC 3550, 6.4.1): the camera's wall clock.

const SENDER_REPORT = 200;
const BYE = 203;
/** Seconds between 1900-01-01 (NTP) and 1970-01-01 (Unix). */
const NTP_TO_UNIX_SECONDS = 2_208_988_800;

export interface RtcpFacts {
  /** Of the first sender report; absent when there is none or the camera has no wall clock. */
  readonly unixMs?: number;
  /** The same moment on the clock of the media. */
  readonly rtpTimestamp?: number;
  /** The camera says goodbye. */
  readonly bye: boolean;
}

/** Reads a compound packet in `bytes` from `start` to `end`; undefined when it is none. */
export function readRtcp(bytes: Uint8Array, start: number, end: number): RtcpFacts | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  let at = 0;
  let unixMs: number | undefined;
  let rtpTimestamp = 0;
  let bye = false;
  while (at + 4 <= view.byteLength) {
    if (view.getUint8(at) >> 6 !== 2) return undefined;
    const type = view.getUint8(at + 1);
    const sizeBytes = (view.getUint16(at + 2) + 1) * 4;
    if (at + sizeBytes > view.byteLength) return undefined;
    if (type === SENDER_REPORT && sizeBytes >= 28 && unixMs === undefined) {
      const seconds = view.getUint32(at + 8);
      const fraction = view.getUint32(at + 12);
      // RFC 3550: a sender without any clock sets the time to zero.
      if (seconds !== 0) unixMs = toUnixMs(seconds, fraction);
      rtpTimestamp = view.getUint32(at + 16);
    }
    if (type === BYE) bye = true;
    at += sizeBytes;
  }
  if (at === 0) return undefined;
  return { bye, ...(unixMs === undefined ? {} : { unixMs, rtpTimestamp }) };
}

function toUnixMs(ntpSeconds: number, fraction: number): number {
  // RFC 2030, 3: a value with the highest bit clear belongs to the era that begins in 2036.
  const seconds = ntpSeconds >= 0x8000_0000 ? ntpSeconds : ntpSeconds + 2 ** 32;
  return (seconds - NTP_TO_UNIX_SECONDS) * 1000 + (fraction * 1000) / 2 ** 32;
}
