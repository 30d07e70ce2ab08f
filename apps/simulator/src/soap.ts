// SOAP as the simulator speaks it: requests read with patterns, answers written from templates.

import { createHash } from 'node:crypto';
import type { Credentials } from './digest-gate.js';

const NAMESPACES = [
  'xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
  'xmlns:tt="http://www.onvif.org/ver10/schema"',
  'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"',
  'xmlns:trt="http://www.onvif.org/ver10/media/wsdl"',
  'xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"',
  'xmlns:tev="http://www.onvif.org/ver10/events/wsdl"',
  'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"',
  'xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"',
  'xmlns:wsrf-rw="http://docs.oasis-open.org/wsrf/rw-2"',
  'xmlns:wsa5="http://www.w3.org/2005/08/addressing"',
  'xmlns:tns1="http://www.onvif.org/ver10/topics"',
  'xmlns:ter="http://www.onvif.org/ver10/error"',
].join(' ');

export interface OnvifAnswer {
  /** Of HTTP; 0: the connection ends without an answer. */
  readonly status: number;
  readonly xml: string;
}

export function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ${NAMESPACES}><s:Body>${body}</s:Body></s:Envelope>`;
}

/** `codes` are from the outermost, as in `ter:InvalidArgVal`, `ter:NoProfile`. */
export function fault(codes: readonly string[], reason: string): string {
  const subcodes = codes.reduceRight(
    (inner, code) => `<s:Subcode><s:Value>${code}</s:Value>${inner}</s:Subcode>`,
    '',
  );
  return envelope(
    `<s:Fault><s:Code><s:Value>s:Sender</s:Value>${subcodes}</s:Code><s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`,
  );
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
  };
  return text.replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|(\w{1,4}));/gi, (whole, ten, hex, name) => {
    if (ten !== undefined) return String.fromCodePoint(Number(ten));
    if (hex !== undefined) return String.fromCodePoint(parseInt(String(hex), 16));
    return named[String(name)] ?? whole;
  });
}

/** An xs:duration of hours, minutes and seconds; without one there is no end. */
export function secondsOf(duration: string | undefined): number {
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(duration ?? '');
  if (match === null) return Infinity;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
}

/** One request: what is asked, and the values in it by the names of their elements. */
export class SoapRequest {
  /** The local name of the body's first element; empty when there is none. */
  readonly action: string;
  readonly #xml: string;

  constructor(xml: string) {
    this.#xml = xml;
    this.action = /<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)/.exec(xml)?.[1] ?? '';
  }

  /** The text of the first element of that local name. */
  text(name: string): string | undefined {
    const match = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(this.#xml);
    return match?.[1] === undefined ? undefined : unescapeXml(match[1].trim());
  }

  /** A number attribute of the first element of that local name. */
  attribute(element: string, name: string): number | undefined {
    const tag = new RegExp(`<(?:[\\w-]+:)?${element}\\s([^>]*)>`).exec(this.#xml)?.[1] ?? '';
    const value = Number(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag)?.[1] ?? NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  /** WS-Security UsernameToken: base64(SHA-1(nonce + created + password)). */
  provesKnowledgeOf({ user, password }: Credentials, nowMs: number): boolean {
    const nonce = this.text('Nonce');
    const created = this.text('Created');
    if (nonce === undefined || created === undefined || this.text('Username') !== user)
      return false;
    const digest = createHash('sha1')
      .update(Buffer.from(nonce, 'base64'))
      .update(created)
      .update(password)
      .digest('base64');
    const isFresh = Math.abs(Date.parse(created) - nowMs) < 5 * 60_000;
    return isFresh && this.text('Password') === digest;
  }
}
