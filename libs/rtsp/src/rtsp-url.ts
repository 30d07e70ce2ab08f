// A camera's URL, taken apart: where to connect, what to ask for, and who asks.

import { NightjarError } from '#base';
import type { RtspTransport } from './stream-face.js';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface RtspUrl {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** What goes into request lines: the URL without user, password and fragment. */
  readonly requestUrl: string;
  readonly credentials?: Credentials;
}

const DEFAULT_PORTS = { plain: 554, secure: 322 };
/** Tunnels lead through the doors of the web. */
const DEFAULT_TUNNEL_PORTS = { plain: 80, secure: 443 };
const MAX_URL_LENGTH = 4096;

/** Throws `invalid-argument` for what is no `rtsp:` or `rtsps:` URL; never with the URL in it. */
export function parseRtspUrl(text: string, transport: RtspTransport = 'tcp'): RtspUrl {
  const match =
    /^(rtsps?):\/\/(?:([^/?#]*)@)?(\[[^\]/?#@]+\]|[^:/?#@[\]]+)(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?$/i.exec(
      text.trim(),
    );

  if (
    match === null ||
    text.length > MAX_URL_LENGTH ||
    /[\s\u0000-\u0020\u007f-\u00a0]/.test(text.trim())
  ) {
    throw new NightjarError('invalid-argument', 'expected an rtsp:// URL with a host');
  }
  const [, scheme = '', userInfo, hostText = '', portText, path = '/'] = match;
  const secure = scheme.toLowerCase() === 'rtsps';
  const defaults = transport === 'http' ? DEFAULT_TUNNEL_PORTS : DEFAULT_PORTS;
  const port = portText === undefined ? defaults[secure ? 'secure' : 'plain'] : Number(portText);
  if (port < 1 || port > 65_535) {
    throw new NightjarError('invalid-argument', `expected a port up to 65535, found ${port}`);
  }
  const place = portText === undefined ? hostText : `${hostText}:${portText}`;
  return {
    secure,
    host: hostText.replace(/^\[|\]$/g, ''),
    port,
    requestUrl: `${scheme.toLowerCase()}://${place}${inAscii(path.startsWith('/') ? path : `/${path}`)}`,
    ...(userInfo === undefined || userInfo === '' ? {} : { credentials: readUserInfo(userInfo) }),
  };
}

/** `host:port` for messages. */
export function placeOf(url: Pick<RtspUrl, 'host' | 'port'>): string {
  return `${url.host.includes(':') ? `[${url.host}]` : url.host}:${url.port}`;
}

/**
 * A control URL of an SDP (RFC 2326, C.1.1) against the base. What is relative is put behind the
 * base, as cameras mean it, even behind a query; a path from the root replaces the base's.
 */
export function resolveControl(base: string, control: string | undefined): string {
  const text = control?.trim() ?? '';
  if (text === '' || text === '*' || !/^[\u0021-\u007e]+$/.test(text)) return base;
  if (/^rtsps?:\/\//i.test(text)) return withoutUserInfo(text);
  if (text.startsWith('/')) {
    const root = /^rtsps?:\/\/[^/?]+/i.exec(base)?.[0] ?? '';
    return root + text;
  }
  return base.endsWith('/') ? base + text : `${base}/${text}`;
}

export function withoutUserInfo(url: string): string {
  return url.replace(/^(rtsps?:\/\/)[^/?#]*@/i, '$1');
}

/** Request lines are ASCII; what people type is not always. */
function inAscii(path: string): string {
  return path.replace(/[^\u0021-\u007e]+/g, (text) =>
    Array.from(Buffer.from(text, 'utf8'), (byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
  );
}

function readUserInfo(text: string): Credentials {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const password = colon < 0 ? '' : text.slice(colon + 1);
  return { user: decode(user), password: decode(password) };
}

/** A percent sign that begins no escape stands for itself: people type passwords as they are. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
