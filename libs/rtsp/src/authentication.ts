// Answers a camera's challenge: Basic (RFC 7617) and Digest (RFC 2617 and RFC 7616) authentication.

import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from './rtsp-url.js';

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

interface DigestState {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: string | undefined;
  readonly hash: 'md5' | 'sha256';
  readonly session: boolean;
  readonly qop: boolean;
  readonly clientNonce: string;
  count: number;
}

const MAX_CHALLENGE_LENGTH = 4096;
const HASHES: Readonly<Record<string, 'md5' | 'sha256'>> = { md5: 'md5', 'sha-256': 'sha256' };

/** Holds one connection's credentials and the last challenge; never shows the password. */
export class Authentication {
  readonly #credentials: Credentials;
  readonly #newNonce: () => string;
  #digest: DigestState | undefined;
  #basic = false;
  /** The camera has taken the last answer. */
  #proven = false;

  constructor(credentials: Credentials, newNonce = () => randomBytes(8).toString('hex')) {
    this.#credentials = credentials;
    this.#newNonce = newNonce;
  }

  /**
   * Takes the `WWW-Authenticate` headers of an answer and the strongest challenge among them.
   * `rejected`: what was sent before was wrong. `unknown`: no challenge that can be answered.
   */
  challenge(headers: readonly string[]): 'answerable' | 'rejected' | 'unknown' {
    const tried = this.#digest !== undefined || this.#basic;
    const challenges = headers.flatMap(readChallenges);
    const digests = challenges.map(readDigest).filter((state) => state !== undefined);
    const best = digests.find((state) => state.hash === 'sha256') ?? digests[0];
    if (best !== undefined) {
      const stale = challenges.some(
        ({ parameters }) => parameters.get('stale')?.toLowerCase() === 'true',
      );
      // A new nonce alone is no new chance (wrong passwords would lock the account), unless the
      // old one was good for a while.
      const aged = this.#proven && best.nonce !== this.#digest?.nonce;
      if (tried && !stale && !aged) return 'rejected';
      this.#proven = false;
      this.#digest = { ...best, clientNonce: this.#newNonce(), count: 0 };
      this.#basic = false;
      return 'answerable';
    }
    if (tried) return 'rejected';
    this.#basic = challenges.some(({ scheme }) => scheme === 'basic');
    return this.#basic ? 'answerable' : 'unknown';
  }

  /** A request with the last header was not answered with 401. */
  accepted(): void {
    this.#proven = this.#digest !== undefined;
  }

  /** The `Authorization` header for a request; undefined as long as nobody asked for one. */
  header(method: string, uri: string): string | undefined {
    const { user, password } = this.#credentials;
    if (this.#basic) return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const state = this.#digest;
    if (state === undefined) return undefined;
    const hash = (text: string) => createHash(state.hash).update(text).digest('hex');
    state.count += 1;
    const count = state.count.toString(16).padStart(8, '0');
    let secret = hash(`${user}:${state.realm}:${password}`);
    if (state.session) secret = hash(`${secret}:${state.nonce}:${state.clientNonce}`);
    const request = hash(`${method}:${uri}`);
    const response = state.qop
      ? hash(`${secret}:${state.nonce}:${count}:${state.clientNonce}:auth:${request}`)
      : hash(`${secret}:${state.nonce}:${request}`);
    const fields = [
      `username=${quoted(user)}`,
      `realm=${quoted(state.realm)}`,
      `nonce=${quoted(state.nonce)}`,
      `uri=${quoted(uri)}`,
      `response="${response}"`,
    ];
    if (state.algorithm !== undefined) fields.push(`algorithm=${state.algorithm}`);
    if (state.opaque !== undefined) fields.push(`opaque=${quoted(state.opaque)}`);
    if (state.qop) fields.push('qop=auth', `nc=${count}`);
    if (state.qop || state.session) fields.push(`cnonce="${state.clientNonce}"`);
    return `Digest ${fields.join(', ')}`;
  }
}

function readDigest({ scheme, parameters }: Challenge) {
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (scheme !== 'digest' || realm === undefined || nonce === undefined) return undefined;
  const algorithm = parameters.get('algorithm');
  const name = (algorithm ?? 'MD5').toLowerCase();
  const hash = HASHES[name.replace(/-sess$/, '')];
  if (hash === undefined) return undefined;
  const qops = parameters.get('qop')?.toLowerCase().split(',');
  // Nothing but integrity protection is offered: no camera has been seen to ask for it.
  if (qops !== undefined && !qops.some((qop) => qop.trim() === 'auth')) return undefined;
  return {
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    algorithm,
    hash,
    session: name.endsWith('-sess'),
    qop: qops !== undefined,
  };
}

/** One header may hold several challenges, separated by the same commas as their parameters. */
export function readChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token =
    /\s*,?\s*(?:([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z][\w-]*))/y;
  const text = header.slice(0, MAX_CHALLENGE_LENGTH);
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, name, quotedValue, value, scheme] = match;
    if (scheme !== undefined) {
      challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    } else if (name !== undefined) {
      const text = quotedValue === undefined ? value : quotedValue.replace(/\\(.)/g, '$1');
      challenges.at(-1)?.parameters.set(name.toLowerCase(), text ?? '');
    }
  }
  return challenges;
}

function quoted(text: string): string {
  // Control characters would end the header line.

  return `"${text.replace(/[\u0000-\u001f\u007f]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
