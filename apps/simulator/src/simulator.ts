// Puts the simulator together: scenes and clips as streams, behind the RTSP and the ONVIF doors.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock, type Clock, type Log } from '#base';
import type { Clip } from './clip.js';
import { ClipCache } from './clip-cache.js';
import type { Credentials } from './digest-gate.js';
import { DiscoveryResponder } from './discovery-responder.js';
import { OnvifDevice, type DeviceFaults } from './onvif-device.js';
import type { OnvifEvents } from './onvif-events.js';
import { OnvifServer } from './onvif-server.js';
import { PtzHead, type PtzLogEntry } from './ptz-head.js';
import type { Pacing } from './rtp-packets.js';
import { RtspServer } from './rtsp-server.js';
import { sceneMoves } from './scene.js';
import { SCENES, TRACKS } from './scenes.js';
import { Footage, SimulatedStream } from './stream.js';

export interface SimulatorOptions {
  readonly host?: string;
  /** 0 or absent: any free port. */
  readonly rtspPort?: number;
  readonly onvifPort?: number;
  /** Where encoded scenes are kept. */
  readonly clipDirectory?: string;
  readonly credentials?: Credentials;
  /** Footage by name, besides the scenes; served under `/<name>`. */
  readonly clips?: Readonly<Record<string, Clip | (() => Promise<Clip>)>>;
  /** Every stream is served so many times more, under `/<name>/1` to `/<name>/<copies>`. */
  readonly copies?: number;
  readonly pacing?: Pacing;
  readonly sessionTimeoutMs?: number;
  /** Answers WS-Discovery probes; off unless asked for, since it speaks to the whole network. */
  readonly discoverable?: boolean;
  /** Time of the motors; tests give their own. */
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Copies run ahead of their footage by multiples of this, so that their key frames spread. */
const COPY_LEAD_TICKS = 123_457;

interface Parts {
  readonly host: string;
  readonly streams: ReadonlyMap<string, SimulatedStream>;
  readonly devices: ReadonlyMap<string, OnvifDevice>;
  readonly cache: ClipCache;
  readonly rtsp: RtspServer;
  readonly onvif: OnvifServer;
  readonly discovery: DiscoveryResponder;
}

export class Simulator {
  readonly rtsp: RtspServer;
  readonly onvif: OnvifServer;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.rtsp = parts.rtsp;
    this.onvif = parts.onvif;
    this.#parts = parts;
  }

  static async start(options: SimulatorOptions): Promise<Simulator> {
    const { host = '127.0.0.1', log = silentLog(), credentials } = options;
    const directory = options.clipDirectory ?? join(tmpdir(), 'nightjar-simulator-clips');
    const cache = new ClipCache(directory, log);
    const streams = streamsOf(options, cache);
    const devices = devicesOf(options);
    const rtsp = new RtspServer({
      host,
      port: options.rtspPort ?? 0,
      streams,
      log,
      ...(credentials === undefined ? {} : { credentials }),
      ...(options.sessionTimeoutMs === undefined
        ? {}
        : { sessionTimeoutMs: options.sessionTimeoutMs }),
    });
    await rtsp.start();
    const onvif = new OnvifServer({
      host,
      port: options.onvifPort ?? 0,
      devices,
      rtspPort: () => rtsp.port,
      log,
    });
    await onvif.start();
    const discovery = new DiscoveryResponder({
      devices,
      address: () => `${host}:${onvif.port}`,
      log,
    });
    if (options.discoverable === true) await discovery.start();
    return new Simulator({ host, streams, devices, cache, rtsp, onvif, discovery });
  }

  get rtspPort(): number {
    return this.rtsp.port;
  }

  get onvifPort(): number {
    return this.onvif.port;
  }

  /** Paths of all streams. */
  get paths(): readonly string[] {
    return [...this.#parts.streams.keys()];
  }

  /** Throws `Error` for a path that is not served. */
  stream(path: string): SimulatedStream {
    const stream = this.#parts.streams.get(path);
    if (stream === undefined) throw new Error(`the simulator serves no ${path}`);
    return stream;
  }

  /** Without credentials. */
  url(path: string): string {
    return `rtsp://${this.#parts.host}:${this.rtspPort}/${path}`;
  }

  /** Where the ONVIF device of a scene is asked. */
  onvifUrl(scene: string): string {
    return `http://${this.#parts.host}:${this.onvifPort}/onvif/${scene}/device_service`;
  }

  /** The motors of a scene's camera. Throws `Error` for an unknown scene. */
  head(scene: string): PtzHead {
    return this.#device(scene).head;
  }

  /** The event service of a scene's camera. Throws `Error` for an unknown scene. */
  events(scene: string): OnvifEvents {
    return this.#device(scene).events;
  }

  /** What a scene's ONVIF device does wrong, to be set. Throws `Error` for an unknown scene. */
  deviceFaults(scene: string): DeviceFaults {
    return this.#device(scene).faults;
  }

  /** The PTZ commands that a scene's camera received, oldest first. */
  ptzLog(scene: string): readonly PtzLogEntry[] {
    return this.head(scene).log;
  }

  #device(scene: string): OnvifDevice {
    const device = this.#parts.devices.get(scene);
    if (device === undefined) throw new Error(`the simulator has no device ${scene}`);
    return device;
  }

  async close(): Promise<void> {
    for (const device of this.#parts.devices.values()) device.events.close();
    await this.#parts.discovery.stop();
    await this.onvif.stop();
    await this.rtsp.stop();
    this.#parts.cache.close();
  }
}

export function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return Simulator.start(options);
}

function streamsOf(options: SimulatorOptions, cache: ClipCache): Map<string, SimulatedStream> {
  const { pacing = 'paced', copies = 0, clips = {} } = options;
  const footages = [
    ...SCENES.flatMap((scene) => [
      new Footage(scene.name, () => cache.load(scene, 'main'), pacing),
      new Footage(`${scene.name}/sub`, () => cache.load(scene, 'sub'), pacing),
    ]),
    ...Object.entries(clips).map(([name, clip]) => {
      const load = typeof clip === 'function' ? clip : () => Promise.resolve(clip);
      return new Footage(name, load, pacing);
    }),
  ];
  const streams = new Map<string, SimulatedStream>();
  for (const footage of footages) {
    for (let copy = 0; copy <= copies; copy++) {
      const path = copy === 0 ? footage.name : `${footage.name}/${copy}`;
      streams.set(path, new SimulatedStream(path, footage, copy * COPY_LEAD_TICKS));
    }
  }
  return streams;
}

/** Yard and static look one way for ever; the others can be moved. */
const FIXED_SCENES = new Set(['yard', 'static']);

function devicesOf(options: SimulatorOptions): Map<string, OnvifDevice> {
  const { clock = systemClock } = options;
  const devices = SCENES.map((scene) => {
    const { name } = scene;
    const head = new PtzHead(clock);
    const profiles = (['main', 'sub'] as const).map((track) => ({
      ...TRACKS[track],
      token: `profile_${track}`,
      name: track,
      encoding: 'H264' as const,
      path: track === 'main' ? name : `${name}/sub`,
    }));
    const hasPtz = !FIXED_SCENES.has(name);
    const { credentials } = options;
    const isMoving = (unixMs: number): boolean => sceneMoves(scene, unixMs);
    return new OnvifDevice({ name, profiles, hasPtz, credentials, head, clock, isMoving });
  });
  return new Map(devices.map((device) => [device.name, device]));
}
