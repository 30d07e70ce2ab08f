// A stream's address as a camera gives it, made one that can be asked.

export interface StreamAddress {
  /** On the host that the camera was asked at, without user and password. */
  readonly streamUrl: string;
  /** The host that the camera named, where it is another one. */
  readonly namedHost?: string;
}

const MOST_LENGTH = 2048;

/**
 * Cameras behind NAT, and some that are not, name a host that leads nowhere (`0.0.0.0`, `127.0.0.1`,
 * their inner address). `host`, which answered, takes its place; nothing is then asked of a host,
 * with the camera's password, that nobody named. Undefined unless it is an RTSP URL.
 */
export function streamAddress(told: string, host: string): StreamAddress | undefined {
  // Some cameras escape twice.
  const text = told.trim().replaceAll('&amp;', '&');
  if (text.length > MOST_LENGTH || !/^rtsps?:\/\/[^\s]+$/i.test(text)) return undefined;
  const parts = /^(rtsps?:\/\/)(?:[^/?#]*@)?(\[[^\]]*\]|[^/:?#]*)(:\d*)?(.*)$/i.exec(text);
  if (parts === null) return undefined;
  const [, scheme = '', named = '', port = '', rest = ''] = parts;
  const streamUrl = `${scheme}${host}${port === ':' || port === ':0' ? '' : port}${rest}`;
  if (!URL.canParse(streamUrl)) return undefined;
  return { streamUrl, ...(sameHost(named, host) ? {} : { namedHost: named.slice(0, 256) }) };
}

function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
