// Digest authentication as cameras do it (RFC 2617 with MD5, with and without qop).

import { createHash, randomBytes } from 'node:crypto';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const REALM = 'Nightjar simulator';

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** One per connection: its nonce is good for this connection only. */
export class DigestGate {
  readonly #credentials: Credentials | undefined;
  readonly #nonce = randomBytes(16).toString('hex');

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /** The value of a WWW-Authenticate header. */
  get challenge(): string {
    return `Digest realm="${REALM}", nonce="${this.#nonce}"`;
  }

  /** True when no credentials are asked for, or `authorization` proves that they are known. */
  accepts(method: string, authorization: string | undefined): boolean {
    if (this.#credentials === undefined) return true;
    if (authorization === undefined || !/^digest /i.test(authorization)) return false;
    const fields = new Map<string, string>();
    for (const match of authorization.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) {
      fields.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '');
    }
    const { user, password } = this.#credentials;
    if (fields.get('username') !== user || fields.get('nonce') !== this.#nonce) return false;
    const secret = md5(`${user}:${REALM}:${password}`);
    const request = md5(`${method}:${fields.get('uri') ?? ''}`);
    const qop = fields.get('qop');
    const middle =
      qop === undefined
        ? this.#nonce
        : [this.#nonce, fields.get('nc') ?? '', fields.get('cnonce') ?? '', qop].join(':');
    return fields.get('response') === md5(`${secret}:${middle}:${request}`);
  }
}
