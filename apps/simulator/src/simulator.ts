// Puts the simulator together: scenes and clips as streams, behind the RTSP and the ONVIF doors.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, type Log } from '#base';
import type { Clip } from './clip.js';
import { ClipCache } from './clip-cache.js';
import type { Credentials } from './digest-gate.js';
import type { Pacing } from './rtp-packets.js';
import { RtspServer } from './rtsp-server.js';
import { SCENES } from './scenes.js';
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
  readonly log?: Log;
}

/** Copies run ahead of their footage by multiples of this, so that their key frames spread. */
const COPY_LEAD_TICKS = 123_457;

export class Simulator {
  readonly rtsp: RtspServer;
  readonly host: string;
  readonly #streams: ReadonlyMap<string, SimulatedStream>;
  readonly #cache: ClipCache;

  private constructor(
    parts: { rtsp: RtspServer; streams: ReadonlyMap<string, SimulatedStream>; cache: ClipCache },
    host: string,
  ) {
    this.rtsp = parts.rtsp;
    this.#streams = parts.streams;
    this.#cache = parts.cache;
    this.host = host;
  }

  static async start(options: SimulatorOptions): Promise<Simulator> {
    const { host = '127.0.0.1', log = silentLog() } = options;
    const directory = options.clipDirectory ?? join(tmpdir(), 'nightjar-simulator-clips');
    const cache = new ClipCache(directory, log);
    const streams = streamsOf(options, cache);
    const rtsp = new RtspServer({
      host,
      port: options.rtspPort ?? 0,
      streams,
      log,
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      ...(options.sessionTimeoutMs === undefined
        ? {}
        : { sessionTimeoutMs: options.sessionTimeoutMs }),
    });
    await rtsp.start();
    return new Simulator({ rtsp, streams, cache }, host);
  }

  get rtspPort(): number {
    return this.rtsp.port;
  }

  /** Paths of all streams. */
  get paths(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** Throws `Error` for a path that is not served. */
  stream(path: string): SimulatedStream {
    const stream = this.#streams.get(path);
    if (stream === undefined) throw new Error(`the simulator serves no ${path}`);
    return stream;
  }

  /** Without credentials. */
  url(path: string): string {
    return `rtsp://${this.host}:${this.rtspPort}/${path}`;
  }

  async close(): Promise<void> {
    await this.rtsp.stop();
    this.#cache.close();
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
