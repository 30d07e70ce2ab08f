// Stream addresses: user and password go in by their own fields, so that nobody must escape them.

import { PUSH } from '#contract';

/** The same address with user and password, escaped; unchanged without a user. */
export function withCredentials(url: string, username: string, password: string): string {
  if (username === '' || !URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.username !== '') return url;
  parsed.username = encodeURIComponent(username);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/** Why an address cannot be a camera's, or undefined. */
export function urlFault(url: string): string | undefined {
  if (url.trim() === '' || url === PUSH) return undefined;
  if (!/^rtsps?:\/\//i.test(url)) return 'Must start with rtsp:// or rtsps://';
  return URL.canParse(url) && new URL(url).hostname !== ''
    ? undefined
    : 'This is not a complete address: rtsp://host/path';
}

/** A first name for a camera: the host of its address. */
export function nameFromUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
