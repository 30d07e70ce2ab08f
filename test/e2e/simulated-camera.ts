// Our own simulator in a process of its own.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from './peers.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SimulatedCamera extends Peer {
  readonly onvifPort: number;
}

export interface SimulatorOptions {
  readonly user?: string;
  readonly password?: string;
  /** Keeps a port over a restart, so that a camera comes back where it was. */
  readonly port?: number;
}

/** Clips are drawn and encoded once per machine. */
const CLIP_DIR = join(tmpdir(), 'nightjar-test-clips');

export async function startSimulatedCamera(
  scene: string,
  options: SimulatorOptions = {},
): Promise<SimulatedCamera> {
  const child = spawn(process.execPath, ['dist/apps/simulator/src/main.js', 'simulator'], {
    cwd: ROOT,
    env: {
      ...process.env,
      NIGHTJAR_SIMULATOR_HOST: '127.0.0.1',
      NIGHTJAR_SIMULATOR_PORT: String(options.port ?? 0),
      NIGHTJAR_SIMULATOR_ONVIF_PORT: '0',
      NIGHTJAR_SIMULATOR_CLIP_DIR: CLIP_DIR,
      ...(options.user === undefined ? {} : { NIGHTJAR_SIMULATOR_USER: options.user }),
      ...(options.password === undefined ? {} : { NIGHTJAR_SIMULATOR_PASSWORD: options.password }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = await new Promise<{ rtspPort: number; onvifPort: number }>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const line of text.split('\n')) {
        if (line.includes('"ready":true')) resolve(JSON.parse(line));
      }
    });
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}`)));
    child.once('error', reject);
  });
  const url = `rtsp://127.0.0.1:${ready.rtspPort}/${scene}`;
  // Drawing a scene takes seconds, once per machine; whoever waits for a camera should not.
  if (options.user === undefined) await describeStream(url);
  return {
    url,
    port: ready.rtspPort,
    onvifPort: ready.onvifPort,
    pid: child.pid ?? -1,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Resolves when the stream can be described, which is when its clip is there. */
function describeStream(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(`DESCRIBE ${url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n`);
    });
    socket.setTimeout(180_000, () => socket.destroy(new Error(`${url} was not described in time`)));
    socket.once('data', (data) => {
      socket.destroy();
      const line = data.toString().split('\r\n')[0] ?? '';
      if (line.includes(' 200 ')) resolve();
      else reject(new Error(`${url} was answered with ${line}`));
    });
    socket.once('error', reject);
  });
}
