// How a stream that is pushed is declared: `push:` and its key.

const ADDRESS = /^push:([\w-]{16,128})$/;

/** The key of a pushed stream; undefined for an address that is called. */
export function pushKeyOf(address: string): string | undefined {
  return ADDRESS.exec(address)?.[1];
}
