// Decides who may enter a route: session, role, and protection of cookies against other sites.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { NightjarError, type Clock } from '#base';
import type { Catalog, Session } from '#catalog';
import type { Route } from '#contract';
import { isAtLeast, mayEnter } from './route-table.js';

export const SESSION_COOKIE = 'nightjar_session';

/** Somebody with a session. */
export interface Principal {
  readonly session: Session;
  readonly token: string;
  /** Where the request came from, as far as proxies are trusted. */
  readonly address: string;
}

/** Whether `X-Forwarded-*` headers from this address are believed. */
export type TrustProxy = (address: string) => boolean;

const CACHE_MS = 2000;
const CACHE_SIZE = 2000;

interface Remembered {
  readonly session: Session | undefined;
  readonly atMs: number;
}

export class Gatekeeper {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #trustProxy: TrustProxy;
  /** Sessions by token, for as long as a role that was taken away may still work. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(o: { catalog: Catalog; clock: Clock; trustProxy: TrustProxy }) {
    this.#catalog = o.catalog;
    this.#clock = o.clock;
    this.#trustProxy = o.trustProxy;
  }

  /**
   * The caller, or undefined on a public route for whoever it tells no more. Throws `unauthenticated` without a live session and
   * `permission-denied` for too small a role or a request that another site may have caused.
   */
  async admit(route: Route, request: IncomingMessage): Promise<Principal | undefined> {
    const writes = request.method !== 'GET' && request.method !== 'HEAD';
    if (route.role === 'public') {
      if (writes) this.#demandSameOrigin(request);
      return this.#recognise(route, request);
    }
    const { token, fromCookie } = tokenOf(request);
    const session = token === undefined ? undefined : await this.findSession(token);
    if (token === undefined || session === undefined) {
      throw new NightjarError('unauthenticated', 'expected a session, found none that is valid');
    }
    if (fromCookie && (writes || route.method === 'WS')) {
      this.#demandSameOrigin(request);
      // A WebSocket cannot carry the header; its origin has been checked, and browsers send it.
      if (route.method !== 'WS') demandCsrfToken(request, token);
    }
    if (!mayEnter(session.user.role, route)) {
      throw new NightjarError(
        'permission-denied',
        `expected role ${route.role}, found ${session.user.role}`,
      );
    }
    return { session, token, address: this.addressOf(request) };
  }

  /** Whoever cannot be known, because of the database, too, is a stranger. */
  async #recognise({ moreFor }: Route, request: IncomingMessage): Promise<Principal | undefined> {
    const { token } = tokenOf(request);
    if (moreFor === undefined || token === undefined) return undefined;
    const session = await this.findSession(token).catch((error: unknown) => {
      if (error instanceof NightjarError && error.code === 'unavailable') return undefined;
      throw error;
    });
    if (session === undefined || !isAtLeast(session.user.role, moreFor)) return undefined;
    return { session, token, address: this.addressOf(request) };
  }

  /** The session of a token, at most two seconds old. */
  async findSession(token: string): Promise<Session | undefined> {
    const nowMs = this.#clock.monotonicMs();
    const remembered = this.#remembered.get(token);
    if (remembered !== undefined && nowMs - remembered.atMs < CACHE_MS) return remembered.session;
    const session = await this.#catalog.sessions.find(token);
    this.#remembered.delete(token);
    if (session !== undefined) this.#remembered.set(token, { session, atMs: nowMs });
    if (this.#remembered.size > CACHE_SIZE) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    return session;
  }

  /** After any change of users or sessions. */
  forget(): void {
    this.#remembered.clear();
  }

  addressOf(request: IncomingMessage): string {
    let address = request.socket.remoteAddress ?? '';
    const forwarded = (headerOf(request, 'x-forwarded-for') ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    while (forwarded.length > 0 && this.#trustProxy(address)) address = forwarded.pop() ?? address;
    return address.replace(/^::ffff:/, '');
  }

  isSecure(request: IncomingMessage): boolean {
    if ('encrypted' in request.socket && request.socket.encrypted === true) return true;
    return this.#forwarded(request, 'x-forwarded-proto') === 'https';
  }

  #demandSameOrigin(request: IncomingMessage): void {
    const origin = headerOf(request, 'origin');
    if (origin === undefined) return;
    const host = this.#forwarded(request, 'x-forwarded-host') ?? headerOf(request, 'host');
    if (!URL.canParse(origin) || new URL(origin).host !== host) {
      throw new NightjarError('permission-denied', 'expected a request from this site', { origin });
    }
  }

  /** A header that only a trusted proxy may set; the last value is that proxy's own. */
  #forwarded(request: IncomingMessage, name: string): string | undefined {
    if (!this.#trustProxy(request.socket.remoteAddress ?? '')) return undefined;
    return headerOf(request, name)?.split(',').at(-1)?.trim();
  }
}

/** Goes with writing requests that lean on the cookie; only our own pages can read it. */
export function csrfTokenOf(token: string): string {
  return createHmac('sha256', token).update('nightjar csrf').digest('base64url');
}

function demandCsrfToken(request: IncomingMessage, token: string): void {
  const given = Buffer.from(headerOf(request, 'x-csrf-token') ?? '');
  const wanted = Buffer.from(csrfTokenOf(token));
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new NightjarError('permission-denied', 'expected the X-CSRF-Token of this session');
  }
}

function tokenOf(request: IncomingMessage): { token: string | undefined; fromCookie: boolean } {
  const authorization = headerOf(request, 'authorization');
  if (authorization !== undefined) {
    return { token: /^Bearer ([\w-]{1,128})$/i.exec(authorization)?.[1], fromCookie: false };
  }
  const cookies = (headerOf(request, 'cookie') ?? '').split(';').map((part) => part.trim());
  const cookie = cookies.find((part) => part.startsWith(`${SESSION_COOKIE}=`));
  return { token: cookie?.slice(SESSION_COOKIE.length + 1), fromCookie: true };
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
