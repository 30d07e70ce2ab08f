// The npm package's camera with our own transport below it, so that no answer can hang or end us.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Agent } from 'node:http';
import onvif from 'onvif';
import type { Cam as PackageCam } from 'onvif';
import { NightjarError, toNightjarError } from '#base';
import { agentFor, post, type PostAnswer } from './http-post.js';
import { parseSoap, type SoapAnswer } from './soap-answer.js';

type Callback = (error: unknown, body?: unknown, xml?: string, status?: number) => void;

interface PackageRequest {
  readonly action?: string;
  readonly service?: string;
  readonly body: string;
  /** Path and query instead of a service's: where a subscription lives. */
  readonly place?: string;
}

/** A request that the package has no method for. */
export interface OwnRequest {
  /** Its name in WS-Addressing. */
  readonly action: string;
  /** The service that is asked, or a path and query on the same host. */
  readonly to: { readonly service: string } | { readonly place: string };
  /** XML inside of the header, behind the credentials. */
  readonly header?: string;
  /** XML inside of the body. */
  readonly body: string;
}

/** What the package's prototype holds and its types do not tell. */
interface PackageInside {
  _request(request: PackageRequest, callback: Callback): void;
  _envelopeHeader(open: boolean): string;
  digestAuth(challenges: readonly string[], request: { method: string; path: string }): string;
}

interface Call {
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
  answer: SoapAnswer | undefined;
  /** The last thing that went wrong, as we saw it; the package may put an error of its own on top. */
  error: NightjarError | undefined;
}

export interface GuardedCamOptions {
  readonly url: URL;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** The calls under way, so that the transport knows whose request it carries. */
const calls = new AsyncLocalStorage<Call>();

const { Cam } = onvif as unknown as { Cam: typeof PackageCam };
const inside = Cam.prototype as unknown as PackageInside;

/**
 * The package builds requests, signs them and knows where services are. What it cannot be trusted
 * with is overridden here: HTTP (no bound, no deadline), the answer's parsing (see `parseSoap`),
 * exceptions in its callbacks, and names and passwords outside of ASCII.
 */
export class GuardedCam extends Cam {
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #plainUsername: string | undefined;
  /** HTTP Digest challenges of a device that wants that instead of WS-Security. */
  #challenges: readonly string[] | undefined;

  constructor({ url, username, password }: GuardedCamOptions) {
    super({
      hostname: url.hostname,
      port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      path: url.pathname + url.search,
      useSecure: url.protocol === 'https:',
      // The package lays the name into XML as it is.
      ...(username === undefined ? {} : { username: escapeXml(username) }),
      ...(password === undefined ? {} : { password }),
      autoconnect: false,
      preserveAddress: true,
    });
    this.#url = url;
    this.#agent = agentFor(url);
    this.#plainUsername = username;
    this.on('error', () => undefined);
  }

  /**
   * Runs one of the package's methods; gives the answer as it came. `run` gets the callback to hand
   * to the method. Throws `timeout` after `deadlineMs`, and whatever transport and parser find.
   */
  call(
    run: (done: (error: unknown) => void) => void,
    { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal | undefined },
  ): Promise<SoapAnswer> {
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new NightjarError('timeout', `no answer within ${deadlineMs} ms`));
    }, deadlineMs);
    const end = new AbortController();
    const cancel = (): void => {
      deadline.abort(new NightjarError('cancelled', 'the caller went away'));
    };
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    return new Promise<SoapAnswer>((resolve, reject) => {
      const call: Call = {
        signal: deadline.signal,
        fail: reject,
        answer: undefined,
        error: undefined,
      };
      deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason as Error), {
        signal: end.signal,
      });
      const done = (error: unknown): void => {
        if (error instanceof NightjarError) reject(error);
        else if (error !== null && error !== undefined && error !== false) {
          reject(call.error ?? lacking(error));
        } else if (call.answer !== undefined) resolve(call.answer);
        else reject(new NightjarError('internal', 'the call ended without an answer'));
      };
      calls.run(call, () => run(done));
    }).finally(() => {
      clearTimeout(timer);
      end.abort();
      signal?.removeEventListener('abort', cancel);
    });
  }

  /** Sends a request of our own, signed and bounded as the package's are. */
  send(
    { action, to, header = '', body }: OwnRequest,
    limits: { deadlineMs: number; signal?: AbortSignal | undefined },
  ): Promise<SoapAnswer> {
    return this.call((done) => {
      const url = 'place' in to ? this.#urlOf(to.place) : this.#serviceUrl(to.service);
      const addressing =
        `<a:Action>${action}</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>` +
        `<a:To>${escapeXml(url.href)}</a:To>`;
      const xml =
        inside._envelopeHeader.call(this, true) +
        `${addressing}${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
      const place = url.pathname + url.search;
      inside._request.call(this, { action, place, body: xml }, done);
    }, limits);
  }

  /** Whether the device told of a service of that name. */
  offers(service: string): boolean {
    const places = this.uri as Readonly<Record<string, unknown>> | undefined;
    return places?.[service] !== undefined;
  }

  /** Ends kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Called by the package for each request; its own version does the HTTP. */
  _requestPart2(request: PackageRequest, callback: Callback): void {
    const call = calls.getStore();
    if (call === undefined) throw new NightjarError('internal', 'a request outside of a call');
    // The package's callbacks throw when an answer is not as they expect it.
    const deliver = (...answer: Parameters<Callback>): void => {
      try {
        callback(...answer);
      } catch (error) {
        call.fail(call.error ?? lacking(error));
      }
    };
    this.#exchange(request, call.signal).then(
      ({ answer, status }) => {
        call.answer = answer;
        call.error = answer.fault;
        deliver(answer.fault ?? null, answer.body, answer.xml, status);
      },
      (error: unknown) => {
        call.error = toNightjarError(error);
        deliver(call.error, null, '', call.error.code === 'unauthenticated' ? 401 : 0);
      },
    );
  }

  /** The package hashes passwords as ASCII. */
  _passwordDigest(): { passdigest: string; nonce: string; timestamp: string } {
    const told = process.uptime() * 1000 + (this.timeShift ?? NaN);
    // A camera may tell a time that is none.
    const isTime = Math.abs(told) < 8.64e15;
    const timestamp = new Date(isTime ? told : Date.now()).toISOString();
    const nonce = randomBytes(16);
    const hash = createHash('sha1')
      .update(nonce)
      .update(timestamp)
      .update(this.password ?? '');
    return { passdigest: hash.digest('base64'), nonce: nonce.toString('base64'), timestamp };
  }

  async #exchange(
    request: PackageRequest,
    signal: AbortSignal,
  ): Promise<{ answer: SoapAnswer; status: number }> {
    const url =
      request.place === undefined ? this.#serviceUrl(request.service) : this.#urlOf(request.place);
    let answer = await this.#post(url, request, signal);
    if (answer.status === 401 && this.#plainUsername !== undefined) {
      const challenges = digestChallenges(answer.rawHeaders);
      if (challenges.length > 0) {
        this.#challenges = challenges;
        answer = await this.#post(url, request, signal);
      }
    }
    if (answer.status === 401) {
      this.#challenges = undefined;
      throw new NightjarError('unauthenticated', 'the camera refuses these credentials');
    }
    if (answer.status === 403) {
      throw new NightjarError('permission-denied', 'the camera forbids this to its user');
    }
    if (answer.status === 404 || answer.status === 405) {
      throw new NightjarError('unsupported', 'there is no such ONVIF service', {
        url: url.pathname,
      });
    }
    const parsed = parseSoap(answer.text, answer.status);
    if (parsed.fault === undefined && answer.status >= 300) {
      throw new NightjarError('unavailable', `the camera answers ${answer.status}`, {});
    }
    return { answer: parsed, status: answer.status };
  }

  #post(url: URL, request: PackageRequest, signal: AbortSignal): Promise<PostAnswer> {
    const action = request.action === undefined ? '' : `;action="${request.action}"`;
    return post({
      url,
      agent: this.#agent,
      body: request.body,
      signal,
      headers: {
        'Content-Type': `application/soap+xml;charset=utf-8${action}`,
        'Content-Length': String(Buffer.byteLength(request.body)),
        ...this.#authorization(url),
      },
    });
  }

  #authorization(url: URL): Record<string, string> {
    if (this.#challenges === undefined) return {};
    const escaped = this.username;
    try {
      if (this.#plainUsername !== undefined) this.username = this.#plainUsername;
      const request = { method: 'POST', path: url.pathname + url.search };
      return { Authorization: inside.digestAuth.call(this, this.#challenges, request) };
    } catch (error) {
      this.#challenges = undefined;
      throw new NightjarError('unsupported', 'the camera asks for unknown credentials', {}, error);
    } finally {
      if (escaped !== undefined) this.username = escaped;
    }
  }

  /** A service's path on the host that was named: what a device says of its host is not followed. */
  #serviceUrl(service: string | undefined): URL {
    const places = this.uri as Readonly<Record<string, { path?: string | null }>> | undefined;
    const path = service === undefined ? undefined : places?.[service]?.path;
    if (service !== undefined && typeof path !== 'string') {
      throw new NightjarError('unsupported', `the camera has no ${service} service`);
    }
    return this.#urlOf(path ?? this.path);
  }

  /** Joined as texts: as a reference, a path that begins with two slashes is another host. */
  #urlOf(place: string): URL {
    return new URL(this.#url.origin + (place.startsWith('/') ? place : `/${place}`));
  }
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function lacking(cause: unknown): NightjarError {
  return new NightjarError('unsupported', 'the answer lacks what was asked for', {}, cause);
}

function digestChallenges(rawHeaders: readonly string[]): string[] {
  const challenges: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const isChallenge = rawHeaders[index]?.toLowerCase() === 'www-authenticate';
    const value = rawHeaders[index + 1] ?? '';
    if (isChallenge && value.startsWith('Digest')) challenges.push(value);
  }
  return challenges;
}
