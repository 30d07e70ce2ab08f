// Reed-Solomon RS(10,4): four parity shards over ten data shards, by the native codec where it was
// built, else by the one in WebAssembly. They make different parity: a stripe names its codec.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NightjarError } from '#base';

export const DATA_SHARDS = 10;
export const PARITY_SHARDS = 4;
export const ALL_SHARDS = DATA_SHARDS + PARITY_SHARDS;
/** Sizes of shards are multiples of this. */
export const SHARD_UNIT_BYTES = 64;

/** What a stripe names: 1 is @ronomon/reed-solomon 6, 2 reed-solomon-erasure (wasm) 0.2. */
export type CodecId = 1 | 2;

export interface ErasureCodec {
  readonly id: CodecId;
  /**
   * `shards` holds all 14 behind each other, of one size that is a multiple of SHARD_UNIT_BYTES. Fills
   * in those whose numbers are in `missing`, at most four, from the others. Each block of the shards
   * is coded by itself, so that it can be filled in without the others.
   */
  fill(shards: Buffer, missing: readonly number[], blockBytes: number): Promise<void>;
}

interface RonomonModule {
  create(data: number, parity: number): Buffer;
  encode(
    context: Buffer,
    sources: number,
    targets: number,
    data: Buffer,
    dataOffset: number,
    dataSize: number,
    parity: Buffer,
    parityOffset: number,
    paritySize: number,
    done: (error?: Error | null) => void,
  ): void;
}

interface WasmModule {
  ReedSolomonErasure: new (exports: unknown) => WasmCodec;
}

/** The part of the engine that is used; the types of Node do not tell of it. */
interface WasmEngine {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
}

interface WasmCodec {
  encode(shards: Uint8Array, data: number, parity: number): number;
  reconstruct(shards: Uint8Array, data: number, parity: number, available: boolean[]): number;
}

const WASM_PACKAGE = '@subspace/reed-solomon-erasure.wasm';
const requireHere = createRequire(import.meta.url);
const loaded = new Map<CodecId, Promise<ErasureCodec>>();

/** Throws unsupported when the codec is not installed. */
export function codecOf(id: CodecId): Promise<ErasureCodec> {
  let codec = loaded.get(id);
  if (codec === undefined) {
    codec = id === 1 ? loadNative() : loadWasm();
    loaded.set(id, codec);
  }
  return codec;
}

/** The quickest that is installed. */
export function bestCodec(): Promise<ErasureCodec> {
  return codecOf(1).catch(() => codecOf(2));
}

async function loadNative(): Promise<ErasureCodec> {
  const ronomon = await load<RonomonModule>('@ronomon/reed-solomon');
  const context = ronomon.create(DATA_SHARDS, PARITY_SHARDS);
  const fillBlock = (shards: Buffer, missing: readonly number[]) =>
    new Promise<void>((resolve, reject) => {
      const targets = missing.reduce((flags, shard) => flags | (1 << shard), 0);
      const sources = ((1 << ALL_SHARDS) - 1) & ~targets;
      const dataBytes = (shards.length / ALL_SHARDS) * DATA_SHARDS;
      const parityBytes = shards.length - dataBytes;
      ronomon.encode(
        context,
        sources,
        targets,
        shards,
        0,
        dataBytes,
        shards,
        dataBytes,
        parityBytes,
        (error) => {
          if (error) reject(new NightjarError('internal', error.message));
          else resolve();
        },
      );
    });
  return {
    id: 1,
    fill: async (shards, missing, blockBytes) => {
      const size = shards.length / ALL_SHARDS;
      if (size <= blockBytes) return fillBlock(shards, missing);
      // It mixes bits from all over what it is given, so blocks must be given to it one by one.
      const memory = Buffer.allocUnsafeSlow(ALL_SHARDS * blockBytes);
      for (let from = 0; from < size; from += blockBytes) {
        const length = Math.min(blockBytes, size - from);
        const block = memory.subarray(0, ALL_SHARDS * length);
        for (let shard = 0; shard < ALL_SHARDS; shard++) {
          const start = shard * size + from;
          shards.copy(block, shard * length, start, start + length);
        }
        await fillBlock(block, missing);
        for (const shard of missing) {
          block.copy(shards, shard * size + from, shard * length, (shard + 1) * length);
        }
      }
    },
  };
}

async function loadWasm(): Promise<ErasureCodec> {
  const { ReedSolomonErasure } = await load<WasmModule>(WASM_PACKAGE);
  const path = join(dirname(requireHere.resolve(WASM_PACKAGE)), 'reed_solomon_erasure_bg.wasm');
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmEngine };
  const module = new WebAssembly.Module(await readFile(path));
  // Its heap does not survive many calls (release 0.2.5 frees what is freed already): a new one each.
  const fresh = () => new ReedSolomonErasure(new WebAssembly.Instance(module).exports);
  const expectOk = (result: number) => {
    if (result !== 0) {
      throw new NightjarError('internal', `the erasure codec refused its shards (${result})`);
    }
  };
  return {
    id: 2,
    fill: (shards, missing) => {
      if (missing.some((shard) => shard < DATA_SHARDS)) {
        const flags = Array.from({ length: ALL_SHARDS }, (_, shard) => !missing.includes(shard));
        expectOk(fresh().reconstruct(shards, DATA_SHARDS, PARITY_SHARDS, flags));
      }
      // Only data shards come out of a reconstruction.
      if (missing.some((shard) => shard >= DATA_SHARDS)) {
        expectOk(fresh().encode(shards, DATA_SHARDS, PARITY_SHARDS));
      }
      return Promise.resolve();
    },
  };
}

async function load<T>(name: string): Promise<T> {
  try {
    return await Promise.resolve(requireHere(name) as T);
  } catch (error) {
    throw new NightjarError('unsupported', `expected the package ${name}`, { name }, error);
  }
}
