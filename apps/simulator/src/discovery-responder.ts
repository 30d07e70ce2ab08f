// Answers WS-Discovery probes, so that the simulated cameras are found on the network.

import { createHash, randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { messageOf, type Log } from '#base';
import type { OnvifDevice } from './onvif-device.js';

const GROUP = '239.255.255.250';
const PORT = 3702;

export interface DiscoveryOptions {
  readonly devices: ReadonlyMap<string, OnvifDevice>;
  /** Where the devices' services are: a host and a port. */
  readonly address: () => string;
  readonly log: Log;
}

/** Without multicast on this machine it says so once and answers nobody. */
export class DiscoveryResponder {
  readonly #options: DiscoveryOptions;
  #socket: Socket | undefined;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { log } = this.#options;
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    this.#socket = socket;
    socket.on('message', (message, from) => this.#answer(message.toString('utf8'), from));
    const isBound = await new Promise<boolean>((resolve) => {
      socket.once('error', (error) => {
        log.info({ why: error.message }, 'cameras cannot be discovered: no multicast here');
        resolve(false);
      });
      socket.bind(PORT, () => resolve(true));
    });
    socket.on('error', () => undefined);
    if (!isBound) return;
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const joined = own.filter(({ family, address }) => {
      if (family !== 'IPv4') return false;
      try {
        socket.addMembership(GROUP, address);
        return true;
      } catch (error) {
        log.debug({ address, why: messageOf(error) }, 'no multicast on an interface');
        return false;
      }
    });
    if (joined.length === 0) log.info('cameras cannot be discovered: no multicast here');
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      try {
        socket.close(() => resolve());
      } catch {
        // It never opened.
        resolve();
      }
    });
  }

  #answer(xml: string, from: RemoteInfo): void {
    const messageId = /<(?:[\w-]+:)?MessageID[^>]*>([^<]+)</.exec(xml)?.[1];
    if (!/<(?:[\w-]+:)?Probe[\s>]/.test(xml) || messageId === undefined) return;
    const types = /<(?:[\w-]+:)?Types[^>]*>([^<]*)</.exec(xml)?.[1] ?? '';
    if (types.trim() !== '' && !types.includes('NetworkVideoTransmitter')) return;
    for (const device of this.#options.devices.values()) {
      const answer = Buffer.from(this.#match(device, messageId.trim()));
      this.#socket?.send(answer, from.port, from.address, () => undefined);
    }
  }

  #match(device: OnvifDevice, messageId: string): string {
    const url = `http://${this.#options.address()}/onvif/${device.name}/device_service`;
    return (
      '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">' +
      `<s:Header><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID><a:RelatesTo>${messageId.replace(/[<>&]/g, '')}</a:RelatesTo><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>` +
      `<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>${endpointOf(url)}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>` +
      `<d:Scopes>${device.scopes.join(' ')}</d:Scopes><d:XAddrs>${url}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`
    );
  }
}

/** A UUID that stays the same for a device at its address, and is no other simulator's. */
function endpointOf(url: string): string {
  const hex = createHash('sha1').update(url).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join('-')}`;
}
