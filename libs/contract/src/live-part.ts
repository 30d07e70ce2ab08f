// Live video on a WebSocket: one JSON greeting for every change of format, then binary parts.

import { z } from 'zod';
import { trackSchema, videoCodecSchema } from './scalars.js';

/** The client chooses with the query `?format=`: access units for WebCodecs, or fMP4 for MSE. */
export const liveQuerySchema = z.object({
  format: z.enum(['annexb', 'fmp4']).default('annexb'),
  track: trackSchema.exclude(['audio']).default('main'),
});
export type LiveQuery = z.output<typeof liveQuerySchema>;

/** Sent as text before the first part and whenever the camera's format changes. */
export const liveInitSchema = z.object({
  type: z.literal('init'),
  format: z.enum(['annexb', 'fmp4']),
  codec: videoCodecSchema,
  /** For VideoDecoder.configure and MediaSource.addSourceBuffer: `avc1.64001f`. */
  codecString: z.string(),
  width: z.number(),
  height: z.number(),
});
export type LiveInit = z.infer<typeof liveInitSchema>;

/** Sent as text when there is nothing to show, and why. */
export const liveStateSchema = z.object({
  type: z.literal('state'),
  state: z.enum(['online', 'connecting', 'offline', 'disabled']),
  reason: z.string().optional(),
});
export type LiveState = z.infer<typeof liveStateSchema>;

export const liveMessageSchema = z.discriminatedUnion('type', [liveInitSchema, liveStateSchema]);
export type LiveMessage = z.infer<typeof liveMessageSchema>;

/**
 * A binary part: kind, flags, two zero bytes, UTC microseconds of the (first) frame, then payload.
 * Kind 1: one access unit in Annex B. Kind 2: an fMP4 initialisation. Kind 3: an fMP4 fragment.
 */
export const LIVE_HEADER_BYTES = 12;
export const LIVE_KIND = { accessUnit: 1, init: 2, fragment: 3 } as const;
const FLAG_KEY = 1;

export interface LivePartHeader {
  readonly kind: number;
  readonly key: boolean;
  readonly utcUs: number;
}

export function writeLiveHeader(header: LivePartHeader): Uint8Array {
  const bytes = new Uint8Array(LIVE_HEADER_BYTES);
  bytes[0] = header.kind;
  bytes[1] = header.key ? FLAG_KEY : 0;
  new DataView(bytes.buffer).setBigUint64(4, BigInt(header.utcUs));
  return bytes;
}

/** The header of a part, or undefined when it is too short to be one. */
export function readLiveHeader(part: Uint8Array): LivePartHeader | undefined {
  if (part.byteLength < LIVE_HEADER_BYTES) return undefined;
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  return {
    kind: view.getUint8(0),
    key: (view.getUint8(1) & FLAG_KEY) !== 0,
    utcUs: Number(view.getBigUint64(4)),
  };
}
