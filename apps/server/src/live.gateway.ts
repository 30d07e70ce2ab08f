// Live video: a recorder's WebSocket, passed on at the client's pace.

import { WebSocket, type RawData } from 'ws';
import { errorOfProblem, messageOf, type Log } from '#base';
import { LIVE_KIND, liveQuerySchema, readLiveHeader, type LiveState } from '#contract';
import type { AuditDesk } from './audit-desk.js';
import { parse } from './problem.js';
import type { CameraSpread } from './camera-spread.js';
import type { Gateway, SocketCall } from './sockets.js';

/** More than this on its way to a client, and parts are dropped up to the next key frame. */
const MOST_BUFFERED_BYTES = 2 * 1024 * 1024;
const HANDSHAKE_DEADLINE_MS = 5000;
/** Close codes: try again later, and 4000 plus the recorder's HTTP status. */
const CLOSE_TRY_LATER = 1013;
const CLOSE_REFUSED = 4000;

export class LiveGateway implements Gateway {
  readonly path = '/api/cameras/:id/live';
  readonly #spread: CameraSpread;
  readonly #audit: AuditDesk;
  readonly #internalSecret: string;
  readonly #log: Log;

  constructor(o: { spread: CameraSpread; audit: AuditDesk; internalSecret: string; log: Log }) {
    this.#spread = o.spread;
    this.#audit = o.audit;
    this.#internalSecret = o.internalSecret;
    this.#log = o.log;
  }

  check(call: SocketCall): void {
    parse(liveQuerySchema, call.query);
  }

  open(socket: WebSocket, call: SocketCall): void {
    this.#connect(socket, call).catch((error: unknown) => endWith(socket, messageOf(error)));
  }

  async #connect(socket: WebSocket, call: SocketCall): Promise<void> {
    const camera = call.parameters['id'] ?? '';
    const { format, track } = parse(liveQuerySchema, call.query);
    const recorder = await this.#spread.recorderOf(camera);
    await this.#audit.record(call.principal, {
      action: 'footage.live',
      subject: camera,
      detail: { track },
    });
    const url = new URL(`/internal/cameras/${encodeURIComponent(camera)}/live`, recorder.url);
    url.protocol = 'ws:';
    url.search = new URLSearchParams({ format, track }).toString();
    const upstream = new WebSocket(url, {
      headers: { authorization: `Bearer ${this.#internalSecret}` },
      handshakeTimeout: HANDSHAKE_DEADLINE_MS,
      perMessageDeflate: false,
    });
    const gate = new LiveGate();
    upstream.on('message', (data, isBinary) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!isBinary) socket.send(String(data), { binary: false });
      else if (gate.lets(bytesOf(data), socket.bufferedAmount)) socket.send(data, { binary: true });
    });
    upstream.on('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const status = response.statusCode ?? 500;
        endWith(socket, errorOfProblem(status, text).message, CLOSE_REFUSED + status);
      });
    });
    upstream.on('error', (error) => {
      this.#log.debug({ camera, reason: error.message }, 'a live connection to a recorder broke');
      endWith(socket, 'the recorder does not answer');
    });
    upstream.on('close', () => endWith(socket, 'the recorder ended the stream'));
    socket.on('close', () => upstream.terminate());
    if (socket.readyState !== WebSocket.OPEN) upstream.terminate();
  }
}

/** Decides part by part what a slow client still gets: never half a group, never without its start. */
export class LiveGate {
  #dropping = false;
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  lets(part: Uint8Array, bufferedBytes: number): boolean {
    const header = readLiveHeader(part);
    // Without an initialisation nothing after it can be shown; it is small and rare.
    if (header === undefined || header.kind === LIVE_KIND.init) return true;
    if (bufferedBytes > MOST_BUFFERED_BYTES) this.#dropping = true;
    else if (header.key) this.#dropping = false;
    if (this.#dropping) this.#dropped += 1;
    return !this.#dropping;
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Array.isArray(data) ? Buffer.concat(data) : data;
}

/** Says why before it closes: a browser sees no more than a code otherwise. */
function endWith(socket: WebSocket, reason: string, code = CLOSE_TRY_LATER): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  const state: LiveState = { type: 'state', state: 'offline', reason };
  socket.send(JSON.stringify(state));
  socket.close(code);
}
