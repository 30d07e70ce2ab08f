// Signing in and out, and the first administrator of an empty installation.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { NightjarError, type Log } from '#base';
import type { Catalog, Session } from '#catalog';
import type { LoginAnswer, User } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import { csrfTokenOf, type Gatekeeper, type Principal } from './gatekeeper.js';
import type { LoginThrottle } from './login-throttle.js';

const FIRST_USER = 'admin';

export class SignIn {
  readonly #catalog: Catalog;
  readonly #gatekeeper: Gatekeeper;
  readonly #throttle: LoginThrottle;
  readonly #audit: AuditDesk;
  readonly #log: Log;
  /** SHA-256 of the one-time token, while the first administrator has no password. */
  #setupDigest: Buffer | undefined;

  constructor(o: {
    catalog: Catalog;
    gatekeeper: Gatekeeper;
    throttle: LoginThrottle;
    audit: AuditDesk;
    log: Log;
  }) {
    this.#catalog = o.catalog;
    this.#gatekeeper = o.gatekeeper;
    this.#throttle = o.throttle;
    this.#audit = o.audit;
    this.#log = o.log;
  }

  /**
   * On an empty installation: makes the first administrator when a password is given, else returns
   * the one-time token that lets somebody choose one.
   */
  async prepareFirstRun(adminPassword: string | undefined): Promise<string | undefined> {
    if ((await this.#catalog.users.count()) > 0) return undefined;
    if (adminPassword !== undefined) {
      await this.#addFirst(adminPassword);
      return undefined;
    }
    const token = randomBytes(24).toString('base64url');
    this.#setupDigest = digestOf(token);
    return token;
  }

  get setupNeeded(): boolean {
    return this.#setupDigest !== undefined;
  }

  async setUp(token: string, password: string, address: string): Promise<LoginAnswer> {
    const digest = this.#setupDigest;
    if (digest === undefined) {
      throw new NightjarError('failed-precondition', 'Nightjar is set up already');
    }
    const done = this.#throttle.enter(FIRST_USER, address);
    if (!timingSafeEqual(digest, digestOf(token))) {
      done('failed');
      throw new NightjarError('permission-denied', 'expected the token of the set-up link');
    }
    done('ok');
    const user = await this.#addFirst(password);
    this.#setupDigest = undefined;
    return this.#start(user, address);
  }

  async logIn(username: string, password: string, address: string): Promise<LoginAnswer> {
    const done = this.#throttle.enter(username, address);
    let user: User | undefined;
    try {
      user = await this.#catalog.users.authenticate(username, password);
    } catch (error) {
      done('aborted');
      throw error;
    }
    done(user === undefined ? 'failed' : 'ok');
    if (user === undefined) {
      await this.#audit.recordAttempt(username, address, {
        action: 'session.login',
        outcome: 'failed',
      });
      throw new NightjarError('unauthenticated', 'the user name or the password is not right');
    }
    return this.#start(user, address);
  }

  async logOut(caller: Principal): Promise<void> {
    await this.#catalog.sessions.end(caller.session.id);
    this.#gatekeeper.forget();
    await this.#audit.record(caller, { action: 'session.logout' });
  }

  async #addFirst(password: string): Promise<User> {
    const user = await this.#catalog.users.addFirst(FIRST_USER, password);
    await this.#audit.record('system', {
      action: 'user.add',
      subject: user.id,
      detail: { username: FIRST_USER },
    });
    this.#log.info({ username: FIRST_USER }, 'the first administrator has a password');
    return user;
  }

  async #start(user: User, address: string): Promise<LoginAnswer> {
    const { token, session } = await this.#catalog.sessions.start(user, address);
    await this.#audit.recordAttempt(user.username, address, { action: 'session.login' });
    return { token, ...meOf(session, token) };
  }
}

export function meOf(
  session: Session,
  token: string,
): { user: User; csrfToken: string; expiresAt: string } {
  return {
    user: session.user,
    csrfToken: csrfTokenOf(token),
    expiresAt: new Date(session.expiresAtUnixMs).toISOString(),
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
