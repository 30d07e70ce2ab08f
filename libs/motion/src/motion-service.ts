// The recorder's side of motion detection: owns the detector processes and hands out channels.

import { availableParallelism } from 'node:os';
import { NightjarError, type Clock, type Log } from '#base';
import type { MotionChannel, MotionChannelOptions } from './channel-types.js';
import { DETECTOR_TIMES, DetectorHost, type DetectorTimes } from './detector-host.js';
import { ProxyChannel } from './proxy-channel.js';

const MOST_PROCESSES = 8;

export interface MotionServiceOptions {
  /** How many detector processes; by default one for every two processors. */
  readonly processes?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly times?: Partial<DetectorTimes>;
}

export interface DetectorStatus {
  /** Absent while the process is not up. */
  readonly pid?: number;
  readonly channels: number;
  readonly restarts: number;
  /** Processor time, user and system, of this process and those before it. */
  readonly cpuMs: number;
}

export class MotionService {
  readonly #hosts: readonly DetectorHost[];
  readonly #channels = new Set<MotionChannel>();
  readonly #clock: Clock;
  #nextId = 1;
  #closed = false;

  private constructor(options: MotionServiceOptions) {
    const { log, clock } = options;
    const processes =
      options.processes ??
      Math.min(MOST_PROCESSES, Math.max(1, Math.floor(availableParallelism() / 2)));
    if (!Number.isInteger(processes) || processes < 1) {
      throw new NightjarError('invalid-argument', 'expected one detector process or more', {
        processes,
      });
    }
    this.#clock = clock;
    const times = { ...DETECTOR_TIMES, ...options.times };
    this.#hosts = Array.from({ length: processes }, () => new DetectorHost({ log, clock, times }));
  }

  /** A process is started for its first channel. */
  static start(options: MotionServiceOptions): Promise<MotionService> {
    return Promise.resolve(new MotionService(options));
  }

  /** Never waits: the channel is `starting` until its first picture was looked at. */
  open(options: MotionChannelOptions): MotionChannel {
    const host = this.#hosts.reduce((a, b) => (b.channelCount < a.channelCount ? b : a));
    if (this.#closed) {
      throw new NightjarError('failed-precondition', 'motion detection is closed');
    }
    const channel = new ProxyChannel({
      id: this.#nextId++,
      host,
      clock: this.#clock,
      options,
      onClose: () => this.#channels.delete(channel),
    });
    this.#channels.add(channel);
    host.add(channel);
    return channel;
  }

  status(): DetectorStatus[] {
    return this.#hosts.map((host) => ({
      ...(host.pid === undefined ? {} : { pid: host.pid }),
      channels: host.channelCount,
      restarts: host.restarts,
      cpuMs: host.cpuMs,
    }));
  }

  /** Closes every channel and ends the processes. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const channel of [...this.#channels]) channel.close();
    await Promise.all(this.#hosts.map((host) => host.close()));
  }
}
