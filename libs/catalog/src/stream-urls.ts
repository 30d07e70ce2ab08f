// Stream URLs carry secrets: what may be shown of one, and what a changed one keeps of the old one.

import { randomBytes } from 'node:crypto';
import { PUSH } from '#contract';

const SCHEME_AND_USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i;
/** Cameras that want their password in the query or path: `?user=a&password=b`, `/user=a&pwd=b`. */
const SECRET_PARAMETER = /([?&;/](?:pass|passwd|password|pwd|token|secret|auth)=)[^&;/#]*/gi;

const PUSHED = `${PUSH}:`;
/** Nobody guesses these; the key is a publisher's only proof. */
const KEY_BYTES = 18;

/** A stream that is pushed under a key of its own. */
export function newPushUrl(): string {
  return PUSHED + randomBytes(KEY_BYTES).toString('base64url');
}

/** The key under which a stream is pushed; undefined for one that is called. */
export function pushKey(url: string): string | undefined {
  return url.startsWith(PUSHED) ? url.slice(PUSHED.length) : undefined;
}

/** The URL without user and password, and with the values of secret parameters taken out. */
export function shownUrl(url: string): string {
  if (pushKey(url) !== undefined) return PUSH;
  return url.replace(SCHEME_AND_USER_INFO, '$1').replace(SECRET_PARAMETER, '$1***');
}

export function hasCredentials(url: string): boolean {
  return pushKey(url) === undefined && shownUrl(url) !== url;
}

/**
 * What to store when `given` replaces `stored`. The shown form of the stored URL means no change. A
 * URL without user and password keeps those it had, on the same host and port only, so that nobody
 * can send them elsewhere; an empty pair (`rtsp://@host/`) takes them away. `push` keeps the key of a
 * stream that is pushed, and makes one for any other.
 */
export function replacedUrl(stored: string | undefined, given: string): string {
  if (given === PUSH) {
    return stored === undefined || pushKey(stored) === undefined ? newPushUrl() : stored;
  }
  const givenUserInfo = SCHEME_AND_USER_INFO.exec(given)?.[2];
  if (givenUserInfo !== undefined) {
    return givenUserInfo === '' ? given.replace(SCHEME_AND_USER_INFO, '$1') : given;
  }
  if (stored === undefined) return given;
  if (shownUrl(stored) === given) return stored;
  const storedUserInfo = SCHEME_AND_USER_INFO.exec(stored)?.[2];
  if (storedUserInfo === undefined || !URL.canParse(given) || !URL.canParse(stored)) return given;
  if (new URL(given).host !== new URL(stored).host) return given;
  return given.replace('://', () => `://${storedUserInfo}@`);
}
