// Reads RTSP requests off a connection, with the interleaved packets of the client between them.

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const MOST_HEAD_BYTES = 16 * 1024;

/** Fed with what was read, in any pieces; throws on what is not RTSP. */
export class RtspRequestReader {
  #rest: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<RtspRequest> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length > 0) {
      if (this.#rest[0] === 0x24) {
        if (this.#rest.length < 4) return;
        const bytes = 4 + this.#rest.readUInt16BE(2);
        if (this.#rest.length < bytes) return;
        this.#rest = this.#rest.subarray(bytes);
        continue;
      }
      const headEnd = this.#rest.indexOf('\r\n\r\n');
      if (headEnd < 0) {
        if (this.#rest.length > MOST_HEAD_BYTES) throw new Error('the request never ends');
        return;
      }
      const request = parseHead(this.#rest.toString('latin1', 0, headEnd));
      const told = request.headers.get('content-length') ?? '0';
      const bytes = headEnd + 4 + (/^\d+$/.test(told) ? Number(told) : NaN);
      if (!(bytes <= MOST_HEAD_BYTES * 4)) throw new Error('the request has too large a body');
      if (this.#rest.length < bytes) return;
      this.#rest = this.#rest.subarray(bytes);
      yield request;
    }
  }
}

function parseHead(head: string): RtspRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const match = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(first);
  if (match === null) throw new Error('not an RTSP request');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: match[1] ?? '', url: match[2] ?? '', headers };
}
