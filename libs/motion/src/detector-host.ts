// One detector process and its channels: forks it for the first of them, listens to its heart, forks
// it again, and ends it when there has been none for a while.

import { fork, type ChildProcess } from 'node:child_process';
import { Backoff, compiledModule, messageOf, type Clock, type Log, type Timer } from '#base';
import { FramePipe } from './frame-pipe.js';
import type { ChannelHost, ProxyChannel } from './proxy-channel.js';
import {
  bareMessage,
  MessageReader,
  PING,
  PROGRESS,
  readProgress,
  readSample,
  readUndecodable,
  SAMPLE,
  UNDECODABLE,
  type Message,
} from './wire.js';

export interface DetectorTimes {
  readonly heartbeatMs: number;
  /** A process that says nothing for so long is killed. */
  readonly stallMs: number;
  /** Loading the decoder may take longer on a busy machine. */
  readonly startMs: number;
  readonly restartFirstMs: number;
  readonly restartCapMs: number;
  /** Without a channel for so long, the process ends: a decoder that waits holds 80 MB. */
  readonly idleMs: number;
}

export const DETECTOR_TIMES: DetectorTimes = {
  heartbeatMs: 2000,
  stallMs: 10_000,
  startMs: 30_000,
  restartFirstMs: 250,
  restartCapMs: 10_000,
  idleMs: 60_000,
};
/** A process that lived so long has earned a quick restart. */
const HEALTHY_MS = 60_000;
/** After a refused frame less is taken for so long. */
const THRIFTY_MS = 30_000;
const END_MS = 3000;

interface Process {
  readonly child: ChildProcess;
  readonly pipe: FramePipe;
  readonly startedAtMs: number;
  heardAtMs: number;
  up: boolean;
}

export class DetectorHost implements ChannelHost {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #times: DetectorTimes;
  readonly #channels = new Map<number, ProxyChannel>();
  readonly #backoff: Backoff;
  readonly #heartbeat: Timer;
  #process: Process | undefined;
  #restart: Timer | undefined;
  #idle: Timer | undefined;
  #resting: Promise<void> = Promise.resolve();
  #beatAtMs: number;
  #thriftyUntilMs = -Infinity;
  #thrifty = false;
  #closed = false;
  #restarts = 0;
  #cpuUs = 0;
  #cpuUsOfEnded = 0;

  constructor(o: { log: Log; clock: Clock; times: DetectorTimes }) {
    this.#log = o.log;
    this.#clock = o.clock;
    this.#times = o.times;
    this.#backoff = new Backoff({
      firstMs: o.times.restartFirstMs,
      capMs: o.times.restartCapMs,
    });
    this.#beatAtMs = o.clock.monotonicMs();
    this.#heartbeat = o.clock.every(o.times.heartbeatMs, () => this.#beat());
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** Of the process that is up. */
  get pid(): number | undefined {
    return this.#process?.up === true ? this.#process.child.pid : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Processor time of all processes so far, user and system. */
  get cpuMs(): number {
    return (this.#cpuUsOfEnded + this.#cpuUs) / 1000;
  }

  get pipe(): FramePipe | undefined {
    return this.#process?.up === true ? this.#process.pipe : undefined;
  }

  add(channel: ProxyChannel): void {
    this.#channels.set(channel.id, channel);
    channel.setThrifty(this.#thrifty);
    this.#idle?.cancel();
    if (this.pipe !== undefined) channel.connected();
    else if (this.#process === undefined && this.#restart === undefined) this.#start();
  }

  left(channel: ProxyChannel): void {
    this.#channels.delete(channel.id);
    if (this.#channels.size > 0 || this.#closed) return;
    this.#idle?.cancel();
    this.#idle = this.#clock.after(this.#times.idleMs, () => this.#rest());
  }

  refused(): void {
    this.#thriftyUntilMs = this.#clock.monotonicMs() + THRIFTY_MS;
    this.#setThrifty(true);
  }

  /** The process has ended when it resolves. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#heartbeat.cancel();
    this.#restart?.cancel();
    this.#idle?.cancel();
    await this.#resting;
    if (this.#process !== undefined) await endOf(this.#process.child);
  }

  #start(): void {
    const url = compiledModule('./detector-process.js', import.meta.url);
    let child: ChildProcess;
    try {
      child = fork(url, ['detector'], {
        stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
        execArgv: [],
      });
    } catch (error) {
      return this.#startAgain(messageOf(error));
    }
    // Without files or processes left there is no child, and no streams: only its error comes.
    const { stdin, stdout } = child as Partial<ChildProcess>;
    if (!stdin || !stdout) {
      child.once('error', (error) => this.#startAgain(messageOf(error)));
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const started: Process = {
      child,
      pipe: new FramePipe(stdin),
      startedAtMs: nowMs,
      heardAtMs: nowMs,
      up: false,
    };
    this.#process = started;
    // Messages behind a broken pipe are lost with the process: its end is what counts.
    stdin.on('error', () => undefined);
    child.once('error', (error) => this.#ended(started, messageOf(error)));
    child.once('exit', (code, signal) => this.#ended(started, signal ?? `exit code ${code}`));
    const reader = new MessageReader();
    stdout.on('data', (chunk: Buffer) => {
      started.heardAtMs = this.#clock.monotonicMs();
      try {
        reader.feed(chunk);
        for (let heard = reader.next(); heard !== undefined; heard = reader.next()) {
          this.#hear(started, heard);
        }
      } catch (error) {
        this.#log.error({ err: error, pid: child.pid }, 'detector does not make sense');
        child.kill('SIGKILL');
      }
    });
  }

  #hear(from: Process, { kind, channel: channelId, body }: Message): void {
    if (from !== this.#process) return;
    if (kind === PROGRESS) {
      const { consumedBytes, cpuUs } = readProgress(body);
      from.pipe.consumed(consumedBytes);
      this.#cpuUs = cpuUs;
      if (!from.up) this.#isUp(from);
      return;
    }
    const channel = this.#channels.get(channelId);
    if (kind === SAMPLE) channel?.answer(readSample(body));
    else if (kind === UNDECODABLE) channel?.undecodable(readUndecodable(body));
  }

  /** Nothing is looked at. */
  #rest(): void {
    const process = this.#process;
    if (process === undefined || this.#channels.size > 0) return;
    this.#forget();
    this.#log.info({ pid: process.child.pid }, 'detector ended: nothing is to be looked at');
    this.#resting = endOf(process.child);
  }

  #forget(): void {
    this.#process = undefined;
    this.#cpuUsOfEnded += this.#cpuUs;
    this.#cpuUs = 0;
  }

  #isUp(process: Process): void {
    process.up = true;
    this.#log.info({ pid: process.child.pid }, 'detector started');
    for (const channel of [...this.#channels.values()]) channel.connected();
  }

  #ended(process: Process, why: string): void {
    if (process !== this.#process) return;
    this.#forget();
    if (this.#closed) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - process.startedAtMs > HEALTHY_MS) this.#backoff.reset();
    this.#startAgain(why, process.child.pid);
  }

  #startAgain(why: string, pid?: number): void {
    if (this.#closed) return;
    const delayMs = this.#backoff.nextMs();
    this.#restarts += 1;
    this.#log.error(
      { why, pid, channels: this.#channels.size, retryInMs: delayMs },
      'detector ended; it will be started again',
    );
    for (const channel of [...this.#channels.values()]) channel.disconnected();
    // A fork tells late that it failed; the next channel may have tried a second by then.
    this.#restart?.cancel();
    this.#restart = this.#clock.after(delayMs, () => {
      this.#restart = undefined;
      // The next channel starts it.
      if (this.#channels.size > 0) this.#start();
    });
  }

  #beat(): void {
    const nowMs = this.#clock.monotonicMs();
    const sinceBeatMs = nowMs - this.#beatAtMs;
    this.#beatAtMs = nowMs;
    if (this.#thrifty && nowMs > this.#thriftyUntilMs) this.#setThrifty(false);
    const process = this.#process;
    if (process === undefined) return;
    process.pipe.send(bareMessage(PING, 0));
    // Who overslept has not listened either, and cannot blame the other for silence.
    if (sinceBeatMs > 2 * this.#times.heartbeatMs) process.heardAtMs = nowMs;
    const silentMs = nowMs - process.heardAtMs;
    if (silentMs <= (process.up ? this.#times.stallMs : this.#times.startMs)) return;
    this.#log.error({ pid: process.child.pid, silentMs }, 'detector stalled; it is killed');
    process.child.kill('SIGKILL');
  }

  #setThrifty(thrifty: boolean): void {
    if (this.#thrifty === thrifty) return;
    this.#thrifty = thrifty;
    if (thrifty)
      this.#log.warn({ channels: this.#channels.size }, 'detector is busy; it looks less');
    for (const channel of this.#channels.values()) channel.setThrifty(thrifty);
  }
}

/** Asks the process to end by closing its pipes; kills it if it does not. */
async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  if (child.connected) child.disconnect();
  const deadline = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await ended;
  clearTimeout(deadline);
}
