// The `Transport` header that a camera answers with (RFC 2326, 12.39).

import { streamError } from './stream-error.js';
import type { RtspTransport } from './stream-face.js';

export interface GrantedTransport {
  /** Interleaved channels of RTP and RTCP. */
  readonly channels: readonly [rtp: number, rtcp: number];
  /** Where the camera sends from; absent when it does not say. */
  readonly serverPort?: number;
  /** The address that the camera says it sends from. */
  readonly source?: string;
}

/** Throws `protocol` for what cannot be, `unsupported-stream` for another transport than asked. */
export function readTransport(
  header: string | undefined,
  asked: RtspTransport,
  firstChannel = 0,
): GrantedTransport {
  const text = header ?? '';
  const interleaved = /;\s*interleaved\s*=\s*(\d{1,9})\s*(?:-\s*(\d{1,9}))?/i.exec(text);
  const overTcp = /^\s*RTP\/AVP\/TCP/i.test(text) || interleaved !== null;
  if (text !== '' && overTcp !== (asked !== 'udp')) {
    throw streamError(
      'unsupported-stream',
      `expected the camera to send over ${asked.toUpperCase()}, found ${overTcp ? 'TCP' : 'UDP'}`,
    );
  }
  const rtp = Number(interleaved?.[1] ?? firstChannel);
  const rtcp = Number(interleaved?.[2] ?? rtp + 1);
  if (rtp > 255 || rtcp > 256) {
    throw streamError('protocol', `expected channels up to 255, found ${rtp} and ${rtcp}`);
  }
  const serverPort = Number(/;\s*server_port\s*=\s*(\d{1,5})/i.exec(text)?.[1] ?? 0);
  const source = /;\s*source\s*=\s*([0-9a-f.:]{2,45})/i.exec(text)?.[1];
  return {
    channels: [rtp, rtcp],
    ...(serverPort > 0 && serverPort < 65_535 ? { serverPort } : {}),
    ...(source === undefined ? {} : { source }),
  };
}
