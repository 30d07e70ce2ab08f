// One HTTP POST with a deadline, a bound on the answer and connections that are kept.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { NightjarError } from '#base';

export interface PostRequest {
  readonly url: URL;
  readonly agent: HttpAgent;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the call; its reason is thrown. */
  readonly signal: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly text: string;
}

/** More than any camera has to say. */
const MOST_ANSWER_BYTES = 1024 * 1024;

/** Keeps a connection between commands, so that a move costs no handshake. */
export function agentFor(url: URL): HttpAgent {
  const options = { keepAlive: true, maxSockets: 2, keepAliveMsecs: 5000, timeout: 60_000 };
  // Cameras sign their own certificates. The password never travels, only digests of it do.
  return url.protocol === 'https:'
    ? new HttpsAgent({ ...options, rejectUnauthorized: false })
    : new HttpAgent(options);
}

/**
 * Throws the signal's reason, `unavailable` when nobody answers, `resource-exhausted` when the
 * answer is larger than a megabyte.
 */
export async function post(request: PostRequest): Promise<PostAnswer> {
  request.signal.throwIfAborted();
  try {
    return await attempt(request);
  } catch (error) {
    // The device closed a kept connection just as it was used again.
    if (error instanceof StaleConnection) return attempt(request);
    throw error;
  }
}

class StaleConnection extends Error {}

function attempt({ url, agent, headers, body, signal }: PostRequest): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, { method: 'POST', agent, headers, signal });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (outgoing.reusedSocket && error.code === 'ECONNRESET') reject(new StaleConnection());
      else reject(unavailable(url, error));
    });
    outgoing.on('response', (response) => {
      readText(response).then(
        (text) => {
          resolve({ status: response.statusCode ?? 0, rawHeaders: response.rawHeaders, text });
        },
        (error: unknown) => {
          outgoing.destroy();
          if (signal.aborted) reject(signal.reason as Error);
          else reject(error instanceof NightjarError ? error : unavailable(url, error as Error));
        },
      );
    });
    outgoing.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_ANSWER_BYTES) {
      throw new NightjarError(
        'resource-exhausted',
        `expected an answer of at most ${MOST_ANSWER_BYTES} bytes`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function unavailable(url: URL, error: NodeJS.ErrnoException): NightjarError {
  const why = error.code ?? error.message;
  return new NightjarError(
    'unavailable',
    `the camera does not answer: ${why}`,
    { host: url.host },
    error,
  );
}
