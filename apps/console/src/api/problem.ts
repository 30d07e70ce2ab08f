// What went wrong with a request, as a sentence that a guard can act on.

import { problemSchema } from '#contract';
import { toSentence } from '../format.js';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(message: string, o: { status: number; code: string }) {
    super(message);
    this.name = 'ApiError';
    this.status = o.status;
    this.code = o.code;
  }
}

/** Codes whose detail alone does not say what to do. */
const ADVICE: Record<string, string> = {
  'permission-denied': 'Ask an administrator to do it or to change your role.',
  unavailable: 'Try again in a few seconds.',
  timeout: 'Try again in a few seconds.',
  internal: 'Try again; if it stays, tell the administrator to read the server log.',
};

/** An error from the body of a failed answer, whether or not it is problem details. */
export function problemToError(status: number, body: unknown): ApiError {
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) {
    return new ApiError(`The server answered with status ${status} and no explanation.`, {
      status,
      code: status === 401 ? 'unauthenticated' : 'internal',
    });
  }
  const { detail, title, code } = parsed.data;
  const text = [toSentence(detail || title), ADVICE[code] ?? ''].filter((part) => part !== '');
  return new ApiError(text.join(' '), { status, code });
}

export function unreachable(): ApiError {
  return new ApiError(
    'The server does not answer. Check the network and that Nightjar is running; this page keeps trying.',
    { status: 0, code: 'unavailable' },
  );
}

export function incomprehensible(path: string): ApiError {
  return new ApiError(
    `The server's answer to ${path} does not have the expected shape. Reload the page: the server may have been updated.`,
    { status: 0, code: 'internal' },
  );
}

/** A sentence for anything that was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof Error && error.message !== '') return error.message;
  return 'Something went wrong in this page. Reload it.';
}
