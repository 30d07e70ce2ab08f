// Reads a parsed SOAP answer as what it says: texts stay texts, and nothing is where it must be.

type Raw = unknown;

/** An element as xml2js leaves it: a string, or an object of arrays with `$` and `_`. */
export class SoapNode {
  readonly #raw: Raw;

  constructor(raw: Raw) {
    this.#raw = raw;
  }

  /** The child elements of that name (lower camel case, without prefix). */
  all(name: string): SoapNode[] {
    const value = propertyOf(this.#raw, name);
    return Array.isArray(value) ? value.map((one) => new SoapNode(one)) : [];
  }

  /** The first element at that path of names; an empty one when there is none. */
  at(...path: string[]): SoapNode {
    let node: SoapNode = this;
    for (const name of path) node = node.all(name)[0] ?? new SoapNode(undefined);
    return node;
  }

  /** Its child elements with their names, an upper first letter given back. */
  get elements(): [name: string, node: SoapNode][] {
    if (typeof this.#raw !== 'object' || this.#raw === null) return [];
    return Object.entries(this.#raw).flatMap(([name, value]): [string, SoapNode][] => {
      const [first] = Array.isArray(value) ? (value as Raw[]) : [];
      if (first === undefined || name === '$') return [];
      return [[name.charAt(0).toUpperCase() + name.slice(1), new SoapNode(first)]];
    });
  }

  get exists(): boolean {
    return this.#raw !== undefined;
  }

  /** The element's own text, trimmed; undefined when it has none. */
  get text(): string | undefined {
    const own = typeof this.#raw === 'string' ? this.#raw : propertyOf(this.#raw, '_');
    const text = typeof own === 'string' ? own.trim() : '';
    return text === '' ? undefined : text;
  }

  get number(): number | undefined {
    const value = Number(this.text ?? NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  get attributes(): [name: string, value: string][] {
    const all = propertyOf(this.#raw, '$');
    if (typeof all !== 'object' || all === null) return [];
    return Object.entries(all).filter((entry): entry is [string, string] => {
      return typeof entry[1] === 'string';
    });
  }

  attribute(name: string): string | undefined {
    const value = propertyOf(propertyOf(this.#raw, '$'), name);
    return typeof value === 'string' ? value : undefined;
  }

  /** All texts below elements of that name, however deep. */
  texts(name: string): string[] {
    const found: string[] = [];
    collect(this.#raw, name, found, 0);
    return found;
  }
}

const MOST_DEPTH = 16;

function collect(raw: Raw, name: string, found: string[], depth: number): void {
  if (typeof raw !== 'object' || raw === null || depth > MOST_DEPTH) return;
  for (const [key, value] of Object.entries(raw)) {
    if (key === name && Array.isArray(value)) {
      for (const one of value) {
        const { text } = new SoapNode(one);
        if (text !== undefined) found.push(text);
      }
    }
    collect(value, name, found, depth + 1);
  }
}

function propertyOf(raw: Raw, name: string): unknown {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, name)) return undefined;
  return (raw as Readonly<Record<string, unknown>>)[name];
}
