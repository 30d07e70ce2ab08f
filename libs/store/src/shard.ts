// One of the 14 files of a stripe: a range of a chunk or parity over such ranges, and a trailer that
// says what it is and holds the checksums of the whole stripe.

import { crc32c } from '@node-rs/crc32';
import { ByteReader, ByteWriter, NightjarError, uuidFromBytes, uuidToBytes } from '#base';
import {
  ALL_SHARDS,
  DATA_SHARDS,
  PARITY_SHARDS,
  SHARD_UNIT_BYTES,
  type CodecId,
} from './erasure.js';

const MAGIC = Buffer.from('NJSHARD\0', 'latin1');
const VERSION = 1;
export const TRAILER_BYTES = 1024;
const FIRST_BLOCK_BYTES = 65_536;
const MAX_BLOCKS = 128;

/** How a chunk of some size is cut. */
export interface StripeShape {
  readonly chunkBytes: number;
  /** Of each shard; data shards at the end of the chunk are stored without their padding. */
  readonly shardBytes: number;
  /** What one checksum covers, and the least that is reconstructed. */
  readonly blockBytes: number;
}

/** What all shards of a stripe say alike. */
export interface StripeFacts extends StripeShape {
  readonly codec: CodecId;
  /** Identity of the warm set. */
  readonly set: string;
  readonly camera: string;
  readonly chunkId: number;
  /** CRC-32C of each shard as it is stored. */
  readonly shardCrcs: readonly number[];
}

export interface ShardTrailer {
  readonly stripe: StripeFacts;
  readonly shard: number;
  /** CRC-32C of each block, as far as it is stored. */
  readonly blockCrcs: readonly number[];
}

export function shapeOf(chunkBytes: number): StripeShape {
  const units = Math.max(1, Math.ceil(chunkBytes / DATA_SHARDS / SHARD_UNIT_BYTES));
  const shardBytes = units * SHARD_UNIT_BYTES;
  let blockBytes = FIRST_BLOCK_BYTES;
  while (shardBytes > blockBytes * MAX_BLOCKS) blockBytes *= 2;
  return { chunkBytes, shardBytes, blockBytes };
}

/** Without the trailer. */
export function storedBytesOf({ chunkBytes, shardBytes }: StripeShape, shard: number): number {
  if (shard >= DATA_SHARDS) return shardBytes;
  return Math.max(0, Math.min(shardBytes, chunkBytes - shard * shardBytes));
}

export function blockCrcsOf(bytes: Buffer, blockBytes: number): number[] {
  const crcs: number[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    crcs.push(crc32c(bytes.subarray(at, at + blockBytes)));
  }
  return crcs;
}

export function writeTrailer({ stripe, shard, blockCrcs }: ShardTrailer): Buffer {
  const writer = new ByteWriter(TRAILER_BYTES)
    .bytes(MAGIC)
    .u8(VERSION)
    .u8(stripe.codec)
    .u8(DATA_SHARDS)
    .u8(PARITY_SHARDS)
    .u8(shard)
    .bytes(uuidToBytes(stripe.set))
    .bytes(uuidToBytes(stripe.camera))
    .u64(stripe.chunkId)
    .u64(stripe.chunkBytes)
    .u32(stripe.shardBytes)
    .u32(stripe.blockBytes);
  for (const crc of stripe.shardCrcs) writer.u32(crc);
  writer.u8(blockCrcs.length);
  for (const crc of blockCrcs) writer.u32(crc);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.set(writer.view());
  trailer.writeUInt32BE(crc32c(trailer.subarray(0, TRAILER_BYTES - 4)), TRAILER_BYTES - 4);
  return trailer;
}

/** Throws data-loss for what is no trailer, unsupported for a newer one. */
export function readTrailer(bytes: Buffer): ShardTrailer {
  const reader = new ByteReader(bytes);
  const isOurs = bytes.length === TRAILER_BYTES && reader.bytes(MAGIC.length).equals(MAGIC);
  const crc = isOurs ? crc32c(bytes.subarray(0, TRAILER_BYTES - 4)) : undefined;
  if (crc === undefined || crc !== bytes.readUInt32BE(TRAILER_BYTES - 4)) {
    throw new NightjarError('data-loss', 'expected the trailer of a shard, found other bytes');
  }
  const version = reader.u8();
  const codec = reader.u8();
  const [data, parity] = [reader.u8(), reader.u8()];
  const isKnown = version === VERSION && (codec === 1 || codec === 2);
  if (!isKnown || data !== DATA_SHARDS || parity !== PARITY_SHARDS) {
    throw new NightjarError('unsupported', 'expected a shard of version 1', { version, codec });
  }
  const shard = reader.u8();
  const set = uuidFromBytes(reader.bytes(16));
  const camera = uuidFromBytes(reader.bytes(16));
  const chunkId = reader.u64();
  const chunkBytes = reader.u64();
  const shardBytes = reader.u32();
  const blockBytes = reader.u32();
  const shardCrcs = Array.from({ length: ALL_SHARDS }, () => reader.u32());
  const blockCrcs = Array.from({ length: reader.u8() }, () => reader.u32());
  const shape = { chunkBytes, shardBytes, blockBytes };
  return {
    stripe: { codec, set, camera, chunkId, ...shape, shardCrcs },
    shard,
    blockCrcs,
  };
}

/** Two shards belong together only when this is the same: a stripe may have been written twice. */
export function stripeKey(stripe: StripeFacts): string {
  const { codec, set, chunkId, chunkBytes, shardBytes, shardCrcs } = stripe;
  return [codec, set, chunkId, chunkBytes, shardBytes, ...shardCrcs].join(' ');
}
