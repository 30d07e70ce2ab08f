// Stand-ins for the processes around a transcoder: a recorder with generated footage, and a server.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isInternalCaller } from '#base';
import type { Footage } from '../../../libs/transcode/src/footage.test-support.js';

export const SECRET = 'a secret between the processes of a test';
export const CAMERA = '7f0f1b9e-3b1a-4a51-9a52-5a7c2a3f0f10';
export const EMPTY_CAMERA = '00000000-3b1a-4a51-9a52-5a7c2a3f0f10';

const GAPS =
  '2026-09-21T13:46:40.000Z/2026-09-21T13:46:41.000Z;network, ' +
  '2026-09-21T13:46:42.000Z/2026-09-21T13:46:42.500Z;no-motion';

export class TestServer {
  readonly requests: string[] = [];
  readonly #server: Server;
  #answer: (request: IncomingMessage, response: ServerResponse) => void;

  protected constructor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#answer = answer;
    this.#server = createServer((request, response) => {
      this.requests.push(request.url ?? '');
      this.#answer(request, response);
    });
  }

  static async answering(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<TestServer> {
    const server = new TestServer(answer);
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  protected listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Serves the groups of generated footage: `from` of a slice is the number of its group. */
export class TestRecorder extends TestServer {
  /** Answers begin, and clips go on behind their first half, when this resolves. */
  hold: Promise<void> | undefined;
  /** Breaks clips off half-way. */
  breaking = false;
  /** The footage is gone. */
  deleted = false;

  private constructor(readonly footage: Footage) {
    super((request, response) => void this.#serve(request, response));
  }

  static async start(footage: Footage): Promise<TestRecorder> {
    const recorder = new TestRecorder(footage);
    await recorder.listen();
    return recorder;
  }

  get clip(): Buffer {
    return Buffer.concat([this.footage.init, ...this.footage.fragments]);
  }

  count(part: string): number {
    return this.requests.filter((url) => url.includes(part)).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://recorder');
    const [, , , camera, what] = url.pathname.split('/');
    if (!isInternalCaller(request.headers.authorization, SECRET)) return refuse(response, 401);
    if (this.deleted || camera !== CAMERA) return refuse(response, 404);
    const { init, fragments } = this.footage;
    if (what === 'clip.mp4') return this.#serveClip(response);
    await this.hold;
    if (what === 'init.mp4') return void response.end(init);
    const fragment =
      fragments[Number(url.searchParams.get(what === 'still' ? 'at' : 'from')) % 1000];
    if (fragment === undefined) return refuse(response, 404);
    if (what === 'slice.m4s') return void response.end(fragment);
    response.setHeader('nightjar-frame-time', '1790000000123456');
    response.end(Buffer.concat([init, fragment]));
  }

  async #serveClip(response: ServerResponse): Promise<void> {
    const { clip } = this;
    const half = Math.floor(clip.length / 2);
    response.setHeader('nightjar-gaps', GAPS);
    response.write(clip.subarray(0, half));
    await this.hold;
    if (this.breaking) response.destroy();
    else response.end(clip.subarray(half));
  }
}

function refuse(response: ServerResponse, status: number): void {
  const code = status === 404 ? 'not-found' : 'unauthenticated';
  const problem = { type: 'about:blank', title: code, status, detail: 'there is no footage', code };
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(problem));
}
