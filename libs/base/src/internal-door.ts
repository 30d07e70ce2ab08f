// Both sides of the internal HTTP doors between processes: a shared secret, deadlines, one error form.

import { createHash, timingSafeEqual } from 'node:crypto';
import { isErrorCode, NightjarError } from './errors.js';

/** True when `header` is `Bearer <secret>`; takes the same time for every wrong value. */
export function isInternalCaller(header: string | undefined, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${secret}`));
}

export interface InternalRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Until the response's headers are there; the body of a stream may take longer. */
  readonly deadlineMs?: number;
}

/** Calls another process's internal door. */
export class InternalClient {
  readonly #baseUrl: string;
  readonly #secret: string;

  constructor(baseUrl: string, secret: string) {
    this.#baseUrl = baseUrl.replace(/\/$/, '');
    this.#secret = secret;
  }

  get baseUrl(): string {
    return this.#baseUrl;
  }

  /**
   * The raw response, its body still to be read by the caller. Throws the other side's error by its
   * code, `timeout`, `cancelled`, or `unavailable` when nobody answers.
   */
  async fetch(path: string, request: InternalRequest = {}): Promise<Response> {
    const { method = 'GET', body, signal, deadlineMs = 10_000 } = request;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    const signals = signal === undefined ? [deadline.signal] : [deadline.signal, signal];
    let response: Response;
    try {
      response = await fetch(this.#baseUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#secret}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any(signals),
      });
    } catch (error) {
      const context = { method, url: this.#baseUrl + path.split('?')[0] };
      if (deadline.signal.aborted) {
        throw new NightjarError('timeout', `no answer within ${deadlineMs} ms`, context, error);
      }
      if (signal?.aborted === true) {
        throw new NightjarError('cancelled', 'the caller went away', context, error);
      }
      throw new NightjarError('unavailable', 'the other process does not answer', context, error);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** The parsed JSON body, or undefined for an empty one. */
  async json(path: string, request: InternalRequest = {}): Promise<unknown> {
    const text = await (await this.fetch(path, request)).text();
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }
}

async function errorOf(response: Response): Promise<NightjarError> {
  return errorOfProblem(response.status, await response.text().catch(() => ''));
}

/** The error that another process's problem details tell of; `internal` when they are none. */
export function errorOfProblem(status: number, body: string): NightjarError {
  try {
    const problem = JSON.parse(body) as { code?: unknown; detail?: unknown };
    if (isErrorCode(problem.code) && typeof problem.detail === 'string') {
      return new NightjarError(problem.code, problem.detail, { status });
    }
  } catch {
    // Not problem details: fall through to the bare status.
  }
  return new NightjarError('internal', `the other process answered ${status}`, { status });
}
