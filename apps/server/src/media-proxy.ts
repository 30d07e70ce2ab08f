// Passes media from recorders and transcoders on to clients: streamed, at the client's pace, and cut
// on both sides as soon as one side is gone.

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { errorOfProblem, NightjarError } from '#base';
import type { Connections } from './connections.js';
import type { Principal } from './gatekeeper.js';
import { errorOfOthers } from './problem.js';
import type { Peer } from './recorder-registry.js';
import { findRoute } from './route-table.js';

const PASSED_HEADERS = [
  'content-type',
  'content-length',
  'content-range',
  'content-disposition',
  'accept-ranges',
  'cache-control',
  'etag',
  'last-modified',
  'nightjar-gaps',
  'nightjar-frame-time',
];
/** Until the headers are there: a cold transcode takes its time. */
const HEADERS_DEADLINE_MS = 20_000;
const LONGEST_PROBLEM_BYTES = 64 * 1024;

export interface MediaCall {
  readonly peer: Peer;
  /** With query, on the peer's internal door. */
  readonly path: string;
  readonly request: Request;
  readonly response: Response;
  readonly caller: Principal;
  /** Called once the peer has said yes and before the client gets anything. */
  readonly onAccepted?: () => Promise<void>;
  /** In the place of what the peer says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the server puts together itself. */
export interface ComposedCall extends Omit<MediaCall, 'peer' | 'path' | 'headers'> {
  /** May throw a refusal as long as nothing has been sent. */
  readonly compose: (signal: AbortSignal) => Promise<{
    readonly headers: Readonly<Record<string, string>>;
    readonly bytes: AsyncIterable<Uint8Array>;
  }>;
}

export class MediaProxy {
  readonly #secret: string;
  readonly #connections: Connections;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  constructor(o: { internalSecret: string; connections: Connections }) {
    this.#secret = o.internalSecret;
    this.#connections = o.connections;
  }

  /**
   * Throws the peer's refusal, `unavailable` or `timeout` while nothing has been sent. Returns when
   * the last byte is out or the client is gone.
   */
  pass(call: MediaCall): Promise<void> {
    return this.#watched(call, async (signal) => {
      const upstream = await this.#open(call, signal);
      try {
        await call.onAccepted?.();
        call.response.status(upstream.statusCode ?? 200).setHeader('cache-control', 'no-store');
        for (const name of PASSED_HEADERS) {
          const value = call.headers?.[name] ?? upstream.headers[name];
          if (value !== undefined) call.response.setHeader(name, value);
        }
        if (call.request.method === 'HEAD') call.response.end();
        else await pipeline(upstream, call.response);
      } finally {
        upstream.destroy();
      }
    });
  }

  /** As `pass`, but what is sent is put together here. */
  send(call: ComposedCall): Promise<void> {
    return this.#watched(call, async (signal) => {
      const { headers, bytes } = await call.compose(signal);
      const body = Readable.from(bytes);
      try {
        await call.onAccepted?.();
        call.response.setHeader('cache-control', 'no-store');
        for (const [name, value] of Object.entries(headers)) call.response.setHeader(name, value);
        if (call.request.method === 'HEAD') call.response.end();
        else await pipeline(body, call.response);
      } finally {
        body.destroy();
      }
    });
  }

  async #watched(
    call: Pick<MediaCall, 'request' | 'response' | 'caller'>,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { request, response } = call;
    const gone = new AbortController();
    const abort = () => gone.abort();
    response.once('close', abort);
    const route = findRoute(request.method, (request.route as { path: string }).path);
    const leave =
      route === undefined
        ? () => undefined
        : this.#connections.add({
            principal: call.caller,
            route,
            end: () => response.destroy(),
          });
    try {
      await work(gone.signal);
    } catch (error) {
      // A client that left is no fault, and a stream that broke cannot be answered any more.
      if (gone.signal.aborted || response.headersSent) response.destroy();
      else throw error;
    } finally {
      response.off('close', abort);
      // What was opened and not read to its end, for a head or a refusal, say, is let go.
      abort();
      leave();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(call: MediaCall, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { range } = call.request.headers;
      const context = { peer: call.peer.id, path: call.path.split('?')[0] };
      const upstream = httpRequest(call.peer.url + call.path, {
        agent: this.#agent,
        signal,
        headers: {
          authorization: `Bearer ${this.#secret}`,
          ...(range === undefined ? {} : { range }),
        },
      });
      const timer = setTimeout(
        () =>
          upstream.destroy(
            new NightjarError('timeout', `no answer within ${HEADERS_DEADLINE_MS} ms`, context),
          ),
        HEADERS_DEADLINE_MS,
      );
      upstream.once('response', (incoming) => {
        clearTimeout(timer);
        if ((incoming.statusCode ?? 500) < 400) resolve(incoming);
        else refusalOf(incoming).then((error) => reject(errorOfOthers(error)), reject);
      });
      upstream.on('error', (error) => {
        clearTimeout(timer);
        reject(
          error instanceof NightjarError
            ? error
            : new NightjarError('unavailable', `${call.peer.id} does not answer`, context, error),
        );
      });
      upstream.end();
    });
  }
}

async function refusalOf(incoming: IncomingMessage): Promise<NightjarError> {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > LONGEST_PROBLEM_BYTES) break;
  }
  return errorOfProblem(incoming.statusCode ?? 500, text);
}
