// Finds ONVIF cameras on every network of this machine by WS-Discovery.

import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { delay, NightjarError, systemClock } from '#base';
import { FoundCameras, type FoundCamera } from './found-cameras.js';

export interface DiscoveryOptions {
  /** How long answers are waited for; 3 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const GROUP = '239.255.255.250';
const PORT = 3702;
const REPEAT_MS = 400;
const TYPES = ['dn:NetworkVideoTransmitter', 'tds:Device'];

/**
 * The cameras that answered in time, in order of their addresses. Nonsense on the network is passed
 * over; a machine without multicast finds none. Throws `cancelled`.
 */
export async function discoverCameras(options: DiscoveryOptions = {}): Promise<FoundCamera[]> {
  const { timeoutMs = 3000, signal } = options;
  const found = new FoundCameras();
  const sockets = await openSockets((message, address) => found.hear(message, address));
  try {
    probe(sockets);
    await delay(systemClock, Math.min(REPEAT_MS, timeoutMs / 2), signal);
    // Datagrams get lost: once more.
    probe(sockets);
    await delay(systemClock, Math.max(0, timeoutMs - REPEAT_MS), signal);
  } catch (error) {
    throw new NightjarError('cancelled', 'the search was cancelled', {}, error);
  } finally {
    for (const socket of sockets) socket.close();
  }
  return found.list();
}

async function openSockets(hear: (message: Buffer, address: string) => void): Promise<Socket[]> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address);
  const opened = await Promise.all(addresses.map((address) => openSocket(address, hear)));
  return opened.filter((socket) => socket !== undefined);
}

/** Undefined where an interface takes no multicast. */
function openSocket(
  address: string,
  hear: (message: Buffer, address: string) => void,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', () => resolve(undefined));
    socket.on('message', (message, from) => hear(message, from.address));
    socket.bind(0, address, () => {
      try {
        socket.setMulticastInterface(address);
        socket.setMulticastTTL(4);
        resolve(socket);
      } catch {
        socket.close();
        resolve(undefined);
      }
    });
  });
}

function probe(sockets: readonly Socket[]): void {
  for (const socket of sockets) {
    for (const type of TYPES) {
      // A network that is down loses its cameras, not the others.
      socket.send(probeMessage(type), PORT, GROUP, () => undefined);
    }
  }
}

function probeMessage(type: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">' +
    `<e:Header><w:MessageID>urn:uuid:${randomUUID()}</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>` +
    `<e:Body><d:Probe><d:Types>${type}</d:Types></d:Probe></e:Body></e:Envelope>`
  );
}
