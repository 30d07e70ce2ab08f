// One request to the public door: cookie, CSRF token, problem details, and the answer's shape.

import type { z } from 'zod';
import { incomprehensible, problemToError, unreachable } from './problem.js';
import { fillPath, type Method, type PathOf, type QueryValue } from './paths.js';
import { closeSession, csrfToken } from './session.js';

type HttpMethod = Exclude<Method, 'WS'>;

interface RequestOptions<S extends z.ZodType | undefined> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
  readonly answer?: S;
  readonly signal?: AbortSignal;
}

type Answer<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Throws ApiError; a 401 also ends the session, which brings up sign-in. */
export async function request<M extends HttpMethod, S extends z.ZodType | undefined = undefined>(
  method: M,
  path: PathOf<M>,
  o: RequestOptions<S> = {},
): Promise<Answer<S>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (o.body !== undefined) headers['Content-Type'] = 'application/json';
  const token = csrfToken();
  if (method !== 'GET' && token !== undefined) headers['X-CSRF-Token'] = token;

  let response: Response;
  try {
    response = await fetch(fillPath(path, o.params, o.query), {
      method,
      headers,
      credentials: 'same-origin',
      ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      ...(o.signal === undefined ? {} : { signal: o.signal }),
    });
  } catch (error) {
    if (o.signal?.aborted === true) throw error;
    throw unreachable();
  }
  if (!response.ok) {
    const error = await responseToError(response);
    if (error.status === 401 && path !== '/api/auth/login') closeSession();
    throw error;
  }
  if (o.answer === undefined) return undefined as Answer<S>;
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = o.answer.safeParse(body);
  if (!parsed.success) throw incomprehensible(path);
  return parsed.data as Answer<S>;
}

/** The problem that a failed answer tells of. */
async function responseToError(response: Response) {
  const body: unknown = await response.json().catch(() => undefined);
  return problemToError(response.status, body);
}

/** A WebSocket URL on the page's own origin. */
export function socketUrl(
  path: PathOf<'WS'>,
  params?: Record<string, string>,
  query?: Record<string, QueryValue>,
): string {
  const url = new URL(fillPath(path, params, query), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
