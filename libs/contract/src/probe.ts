// What a look at a camera finds before it is declared: on the network, at its ONVIF door, in its streams.

import { z } from 'zod';
import { onvifInputSchema, transportSchema } from './camera.js';
import { videoCodecSchema } from './scalars.js';

/** A stream by its address, or an ONVIF device, which names its streams itself. */
export const probeInputSchema = z
  .object({
    url: z
      .string()
      .max(2048)
      .regex(/^rtsps?:\/\/[^\s]+$/i, 'expected an rtsp:// or rtsps:// URL')
      .refine((text) => URL.canParse(text), 'expected a URL that can be parsed')
      .optional(),
    onvif: onvifInputSchema.optional(),
    transport: transportSchema.default('tcp'),
  })
  .refine(
    ({ url, onvif }) => (url === undefined) !== (onvif === undefined),
    'expected either url or onvif',
  );
export type ProbeInput = z.output<typeof probeInputSchema>;

export const probeItemSchema = z.object({
  item: z.enum([
    'codec',
    'size',
    'frame-rate',
    'group-length',
    'smart-codec',
    'bitrate',
    'audio',
    'clock',
    'frame-order',
    'loss',
    'credentials',
    'address',
    'camera',
  ]),
  grade: z.enum(['good', 'fair', 'poor']),
  /** What was found, in words. */
  found: z.string(),
  /** What to do, in a plain sentence. */
  advice: z.string().optional(),
});
export type ProbeItem = z.infer<typeof probeItemSchema>;

const streamProbeSchema = z.object({
  reachable: z.boolean(),
  /** `good`, `usable` with advice, or `unusable` with the reason first in `advice`. */
  grade: z.enum(['good', 'usable', 'unusable']),
  /** The worst first. */
  advice: z.array(z.string()),
  items: z.array(probeItemSchema),
  codec: videoCodecSchema.optional(),
  /** With profile and level, by RFC 6381. */
  codecString: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  /** Measured by the camera's clock. */
  fps: z.number().optional(),
  declaredFps: z.number().optional(),
  bitrate: z.number().optional(),
  /** Of the second with the most. */
  peakBitrate: z.number().optional(),
  /** The longest group. */
  groupSeconds: z.number().optional(),
  groups: z
    .object({
      minSeconds: z.number(),
      medianSeconds: z.number(),
      maxSeconds: z.number(),
      count: z.number(),
    })
    .optional(),
  audio: z.string().optional(),
  audioRate: z.number().optional(),
  /** The camera's clock minus ours. */
  clockOffsetMs: z.number().optional(),
  hasBFrames: z.boolean().optional(),
  server: z.string().optional(),
});

/** What an ONVIF device tells of itself to somebody with its credentials. */
export const onvifDeviceSchema = z.object({
  manufacturer: z.string().optional(),
  model: z.string().optional(),
  firmware: z.string().optional(),
  ptz: z.boolean(),
  /** Whether it can tell of movement itself. */
  events: z.boolean(),
  clockOffsetMs: z.number().optional(),
  /** What is known to be wrong with it, and what is done about that. */
  quirks: z.array(z.object({ camera: z.string(), fault: z.string(), remedy: z.string() })),
  profiles: z.array(
    z.object({
      token: z.string(),
      name: z.string(),
      codec: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      fps: z.number().optional(),
      /** On the host that was asked. */
      streamUrl: z.string(),
      /** The host that the camera named, where it is another one. */
      namedHost: z.string().optional(),
    }),
  ),
  /** Tokens of the profiles that suit best. */
  main: z.string().optional(),
  sub: z.string().optional(),
});
export type OnvifDevice = z.infer<typeof onvifDeviceSchema>;

/** Of the main stream; by ONVIF also what the device is, and its sub stream. */
export const probeResultSchema = streamProbeSchema.extend({
  onvif: onvifDeviceSchema.optional(),
  sub: streamProbeSchema.optional(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;

export const discoveredCameraSchema = z.object({
  /** The ONVIF device service URL. */
  url: z.string(),
  name: z.string().optional(),
  hardware: z.string().optional(),
  address: z.string(),
});
export type DiscoveredCamera = z.infer<typeof discoveredCameraSchema>;
