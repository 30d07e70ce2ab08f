// RTSP messages (RFC 2326): the text of requests and responses.

/** Header names in lower case; a name that comes again has all its values. */
export class Headers {
  readonly #values = new Map<string, string[]>();

  add(name: string, value: string): void {
    const key = name.toLowerCase();
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [value]);
    else values.push(value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

export interface RtspResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly phrase: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What a camera asks of us. */
export interface RtspRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly headers: Headers;
}

export type RtspMessage = RtspResponse | RtspRequest;

const MAX_HEADERS = 100;
const STATUS_LINE = /^RTSP\/\d\.\d\s+(\d{3})(?:\s+(.{0,200}))?$/;
const REQUEST_LINE = /^([A-Z_]{2,20})\s+\S+\s+RTSP\/\d\.\d$/;

/** What a camera says, fit for messages that people read and databases keep. */
export function printable(text: string): string {
  return text.replace(/[^\u0020-\u007e]/g, '?');
}

/** Whether a message may begin with this line. */
export function isFirstLine(line: string): boolean {
  return STATUS_LINE.test(line.trim()) || REQUEST_LINE.test(line.trim());
}

/** The head of a message, without the empty line; undefined when it is none. */
export function parseHead(text: string): RtspMessage | undefined {
  const lines = text.split(/\r?\n/, MAX_HEADERS + 1);
  const first = lines[0]?.trim() ?? '';
  const headers = new Headers();
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    // What is no header is passed over: cameras put debug output everywhere.
    if (colon > 0) headers.add(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const status = STATUS_LINE.exec(first);
  if (status !== null) {
    const phrase = (status[2] ?? '').trim();
    return { kind: 'response', status: Number(status[1]), phrase, headers, body: '' };
  }
  const request = REQUEST_LINE.exec(first);
  return request === null ? undefined : { kind: 'request', method: request[1] ?? '', headers };
}

/** The text of a request; header values are ours or checked, so that none holds a line end. */
export function writeRequest(
  method: string,
  url: string,
  headers: readonly (readonly [name: string, value: string])[],
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value.replace(/[\r\n]/g, '')}\r\n`);
  return `${method} ${url} RTSP/1.0\r\n${lines.join('')}\r\n`;
}
