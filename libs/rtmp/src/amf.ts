// AMF0, the values of RTMP's commands (Adobe, "Action Message Format -- AMF 0", 2007).

import { NightjarError } from '#base';

export type AmfValue = number | boolean | string | null | undefined | AmfObject | AmfValue[];
export interface AmfObject {
  readonly [name: string]: AmfValue;
}

const NUMBER = 0;
const BOOLEAN = 1;
const STRING = 2;
const OBJECT = 3;
const NULL = 5;
const UNDEFINED = 6;
const ECMA_ARRAY = 8;
const OBJECT_END = 9;
const STRICT_ARRAY = 10;
const DATE = 11;
const LONG_STRING = 12;
const UNSUPPORTED = 13;
const TYPED_OBJECT = 16;

const MAX_DEPTH = 8;
/** Of all values of a message together: hostile arrays name more than they hold. */
const MAX_VALUES = 1024;

/** Reads all values of a command. Throws `invalid-argument` for what is none. */
export function readAmf(bytes: Uint8Array): AmfValue[] {
  return new AmfReader(bytes).all();
}

class AmfReader {
  readonly #view: DataView;
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  all(): AmfValue[] {
    const values: AmfValue[] = [];
    while (this.#at < this.#bytes.length) values.push(this.#value(0));
    return values;
  }

  #value(depth: number): AmfValue {
    this.#values += 1;
    if (depth > MAX_DEPTH || this.#values > MAX_VALUES) throw notAmf('too many values', this.#at);
    const marker = this.#view.getUint8(this.#take(1));
    switch (marker) {
      case NUMBER:
        return this.#view.getFloat64(this.#take(8));
      case BOOLEAN:
        return this.#view.getUint8(this.#take(1)) !== 0;
      case STRING:
        return this.#text(this.#view.getUint16(this.#take(2)));
      case LONG_STRING:
        return this.#text(this.#view.getUint32(this.#take(4)));
      case NULL:
        return null;
      case UNDEFINED:
      case UNSUPPORTED:
        return undefined;
      case DATE: {
        const unixMs = this.#view.getFloat64(this.#take(8));
        this.#take(2);
        return unixMs;
      }
      case TYPED_OBJECT:
        this.#text(this.#view.getUint16(this.#take(2)));
        return this.#object(depth);
      case ECMA_ARRAY:
        // The count is a hint that senders get wrong.
        this.#take(4);
        return this.#object(depth);
      case OBJECT:
        return this.#object(depth);
      case STRICT_ARRAY: {
        const count = this.#view.getUint32(this.#take(4));
        const items: AmfValue[] = [];
        for (let index = 0; index < count; index++) items.push(this.#value(depth + 1));
        return items;
      }
      default:
        throw notAmf(`marker ${marker}`, this.#at - 1);
    }
  }

  #object(depth: number): AmfObject {
    const fields = new Map<string, AmfValue>();
    for (;;) {
      const name = this.#text(this.#view.getUint16(this.#take(2)));
      if (name === '' && this.#bytes[this.#at] === OBJECT_END) {
        this.#at += 1;
        break;
      }
      fields.set(name, this.#value(depth + 1));
    }
    // Defines names as they are, `__proto__` too, where assignment would not.
    return Object.fromEntries(fields);
  }

  #text(length: number): string {
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw notAmf('an end in the middle of a value', at);
    this.#at += count;
    return at;
  }
}

function notAmf(found: string, at: number): NightjarError {
  return new NightjarError('invalid-argument', `expected AMF0, found ${found}`, { at });
}

/** The values of a command, one behind the other. Strings must be shorter than 64 KB. */
export function writeAmf(...values: AmfValue[]): Buffer {
  return Buffer.concat(values.flatMap(valueParts));
}

function valueParts(value: AmfValue): Buffer[] {
  if (value === null) return [Buffer.of(NULL)];
  if (value === undefined) return [Buffer.of(UNDEFINED)];
  if (typeof value === 'boolean') return [Buffer.of(BOOLEAN, value ? 1 : 0)];
  if (typeof value === 'string') return [Buffer.of(STRING), ...textParts(value)];
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return [bytes];
  }
  if (Array.isArray(value)) {
    const head = Buffer.of(STRICT_ARRAY, 0, 0, 0, 0);
    head.writeUInt32BE(value.length, 1);
    return [head, ...value.flatMap(valueParts)];
  }
  return [
    Buffer.of(OBJECT),
    ...Object.entries(value).flatMap(([name, field]) => [...textParts(name), ...valueParts(field)]),
    Buffer.of(0, 0, OBJECT_END),
  ];
}

function textParts(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  return [Buffer.of(bytes.length >> 8, bytes.length & 255), bytes];
}
