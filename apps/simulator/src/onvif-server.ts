// The ONVIF door of the simulator: one device for each scene, by HTTP.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '#base';
import type { OnvifDevice } from './onvif-device.js';

export interface OnvifServerOptions {
  readonly host: string;
  readonly port: number;
  readonly devices: ReadonlyMap<string, OnvifDevice>;
  readonly rtspPort: () => number;
  readonly log: Log;
}

const MOST_BODY_BYTES = 256 * 1024;

export class OnvifServer {
  /** Each answer waits so long first: a camera with a slow processor. */
  delayMs = 0;
  /** Requests answered. */
  requestCount = 0;
  readonly #options: OnvifServerOptions;
  readonly #server: Server;

  constructor(options: OnvifServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        options.log.warn({ err: error }, 'could not answer an ONVIF request');
        response.destroy();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = /^\/onvif\/([\w-]+)\/\w+_service(?:\?.*)?$/.exec(request.url ?? '')?.[1];
    const device = this.#options.devices.get(name ?? '');
    if (device === undefined || request.method !== 'POST') {
      response.writeHead(404).end();
      request.resume();
      return;
    }
    let xml = '';
    for await (const chunk of request.setEncoding('utf8')) {
      xml += String(chunk);
      if (xml.length > MOST_BODY_BYTES) {
        response.writeHead(413).end();
        return;
      }
    }
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    this.requestCount += 1;
    const host = request.headers.host ?? `${this.#options.host}:${this.port}`;
    const place = request.url ?? '';
    const answer = await device.answer({ xml, place, host, rtspPort: this.#options.rtspPort() });
    if (answer.status === 0) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'Content-Type': 'application/soap+xml; charset=utf-8' });
    response.end(answer.xml);
  }
}
