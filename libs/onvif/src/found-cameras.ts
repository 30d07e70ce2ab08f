// What cameras answer to a probe of the network, each camera once, whatever else is answered.

import { parseSoap } from './soap-answer.js';
import type { SoapNode } from './soap-node.js';

export interface FoundCamera {
  /** The ONVIF device service. */
  readonly url: string;
  /** Where the answer came from. */
  readonly address: string;
  readonly name?: string;
  readonly hardware?: string;
}

const MOST_ANSWERS = 2000;
const MOST_ANSWER_BYTES = 16 * 1024;
const MOST_MATCHES = 16;
const MOST_URLS = 16;

interface Entry {
  readonly endpoint: string;
  readonly urls: ReadonlySet<string>;
  readonly camera: FoundCamera;
}

export class FoundCameras {
  readonly #byUrl = new Map<string, Entry>();
  readonly #entries: Entry[] = [];
  #answers = 0;

  /** Takes a datagram; nonsense is passed over, and no answer beyond the two thousandth is read. */
  hear(message: Uint8Array, address: string): void {
    this.#answers += 1;
    if (this.#answers > MOST_ANSWERS || message.length > MOST_ANSWER_BYTES) return;
    for (const entry of readMatches(Buffer.from(message).toString('utf8'), address)) {
      if (this.#isKnown(entry)) continue;
      this.#entries.push(entry);
      for (const url of entry.urls) this.#byUrl.set(keyOf(entry, url), entry);
    }
  }

  /** In order of their addresses. */
  list(): FoundCamera[] {
    return this.#entries
      .map(({ camera }) => camera)
      .sort((a, b) =>
        (a.address + a.url).localeCompare(b.address + b.url, 'en', { numeric: true }),
      );
  }

  /**
   * A camera is known by its endpoint, on whichever of its networks it answers. Some makers give all
   * their cameras one endpoint: then the URLs tell them apart.
   */
  #isKnown(entry: Entry): boolean {
    for (const url of entry.urls) if (this.#byUrl.has(keyOf(entry, url))) return true;
    return false;
  }
}

function keyOf({ endpoint }: Entry, url: string): string {
  return `${endpoint} ${url}`;
}

/** What an answer tells; nothing when it is not an answer. */
function readMatches(xml: string, address: string): Entry[] {
  let matches: SoapNode[];
  try {
    matches = parseSoap(xml, 200).node.at('probeMatches').all('probeMatch');
  } catch {
    return [];
  }
  return matches.slice(0, MOST_MATCHES).flatMap((match): Entry[] => {
    const urls = urlsOf(match.at('XAddrs').text ?? '');
    const url = bestUrl(urls, address);
    if (url === undefined) return [];
    const scopes = (match.at('scopes').text ?? '').split(/\s+/);
    const name = scopeOf(scopes, 'name');
    const hardware = scopeOf(scopes, 'hardware');
    const camera: FoundCamera = {
      url,
      address,
      ...(name === undefined ? {} : { name }),
      ...(hardware === undefined ? {} : { hardware }),
    };
    const endpoint = match.at('endpointReference', 'address').text ?? '';
    return [{ endpoint, urls: new Set(urls), camera }];
  });
}

function urlsOf(text: string): string[] {
  return text
    .split(/\s+/)
    .filter((one) => /^https?:\/\//i.test(one) && one.length <= 512 && URL.canParse(one))
    .slice(0, MOST_URLS);
}

/** The one on the network that the answer came by, else the first. */
function bestUrl(urls: readonly string[], address: string): string | undefined {
  return urls.find((one) => new URL(one).hostname === address) ?? urls[0];
}

function scopeOf(scopes: readonly string[], kind: string): string | undefined {
  const prefix = `onvif://www.onvif.org/${kind}/`;
  const scope = scopes.find((one) => one.toLowerCase().startsWith(prefix));
  if (scope === undefined) return undefined;
  const value = scope.slice(prefix.length, prefix.length + 128);
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
