// Takes an HTTP body apart as SOAP, without trusting it: bounded work, and a fault becomes an error.

import { createRequire } from 'node:module';
import { NightjarError, type ErrorCode } from '#base';
import { SoapNode } from './soap-node.js';

type ParseSoap = (
  xml: string,
  callback: (error: Error | null, body: unknown) => void,
  statusCode: number,
) => void;

// The package's own parser is not part of its face, but its answers are what its methods expect.
const { parseSOAPString } = createRequire(import.meta.url)('onvif/lib/utils.js') as {
  parseSOAPString: ParseSoap;
};

export interface SoapAnswer {
  /** As the package's parser leaves it, for the package's methods. */
  readonly body: unknown;
  /** The same, for ours. */
  readonly node: SoapNode;
  readonly xml: string;
  /** What the device complains of. */
  readonly fault: NightjarError | undefined;
}

/** Throws `unsupported` when `xml` is no SOAP envelope with a body. */
export function parseSoap(xml: string, status: number): SoapAnswer {
  let failure: Error | null = null;
  let body: unknown;
  parseSOAPString(
    withoutNamespaces(xml),
    (error, parsed) => {
      failure = error;
      body = parsed;
    },
    status,
  );
  const node = new SoapNode(Array.isArray(body) ? body[0] : undefined);
  if (!node.exists) {
    throw new NightjarError(
      'unsupported',
      `expected a SOAP answer, found ${summaryOf(xml)}`,
      { status },
      failure ?? undefined,
    );
  }
  const fault = node.at('fault');
  return { body, node, xml, fault: fault.exists ? faultOf(fault, status) : undefined };
}

/**
 * Takes namespace declarations away in one pass. The package does so too, with a pattern that takes
 * quadratic time on a hostile answer; after this it finds none. What still looks like one is refused.
 */
function withoutNamespaces(xml: string): string {
  const bare = xml.replace(
    /\sxmlns(?::[\w.-]{1,64})?\s?=\s?(?:"[^"<]{0,512}"|'[^'<]{0,512}')/g,
    '',
  );
  if (bare.split('xmlns').length > 20) {
    throw new NightjarError('unsupported', 'expected a SOAP answer, found odd namespaces');
  }
  return bare;
}

const FAULT_CODES: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/NotAuthorized|FailedAuthentication|InvalidSecurity/i, 'unauthenticated'],
  [/OperationProhibited|Forbidden/i, 'permission-denied'],
  [/ActionNotSupported|NotSupported|NotImplemented|PTZNotSupported/i, 'unsupported'],
  [/NoProfile|NoToken|NoPreset|NoPTZProfile|NoEntity|NoSource/i, 'not-found'],
  [/TooManyPresets|OutofMemory|MaxNVTProfiles/i, 'resource-exhausted'],
  [
    /InvalidArg|InvalidPosition|InvalidVelocity|InvalidTranslation|OutOfBounds/i,
    'invalid-argument',
  ],
];

function faultOf(fault: SoapNode, status: number): NightjarError {
  const codes = fault.texts('value').concat(fault.texts('faultcode'));
  const reason = fault.texts('text')[0] ?? fault.texts('faultstring')[0] ?? 'no reason given';
  const words = `${codes.join(' ')} ${reason.replaceAll(' ', '')}`;
  const code = FAULT_CODES.find(([pattern]) => pattern.test(words))?.[1] ?? 'failed-precondition';
  const message = `the camera refuses: ${reason.slice(0, 200)}`;
  return new NightjarError(code, message, { status, codes: codes.slice(0, 8) });
}

function summaryOf(text: string): string {
  if (text.trim() === '') return 'nothing';
  if (/<html|<!doctype html/i.test(text.slice(0, 1000))) return 'a web page';
  return text.trimStart().startsWith('<') ? 'other XML' : 'no XML';
}
