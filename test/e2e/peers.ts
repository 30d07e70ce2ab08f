// Real third-party programs that tests drive, and what of them is on this machine.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

export const HAS_FFMPEG = existsSync('/usr/bin/ffmpeg') && existsSync('/usr/bin/ffprobe');
export const HAS_CHROMIUM = existsSync('/usr/bin/chromium');
export const HAS_GSTREAMER =
  existsSync('/usr/lib/x86_64-linux-gnu/girepository-1.0/GstRtspServer-1.0.typelib') &&
  existsSync('/usr/bin/python3');

/** Footage that lies beside the checkout on some machines; the project stands without it. */
export function sharedFootage(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/footage/${name}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}

/** A server in a process of its own, ended by its test. */
export interface Peer {
  /** Where its stream is. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** GStreamer's RTSP server over a file, looping without a seam. */
export async function startGstreamer(file: string, extra: readonly string[] = []): Promise<Peer> {
  const child = spawn(
    '/usr/bin/python3',
    ['test/fixtures/gst-rtsp-server.py', '--file', file, '--port', '0', ...extra],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /ready (\d+)/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    child.once('exit', (code) => reject(new Error(`the RTSP server ended with ${code}`)));
    child.once('error', reject);
  });
  return {
    url: `rtsp://127.0.0.1:${port}/stream`,
    port,
    pid: child.pid ?? -1,
    close: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Frames that a decoder gets out of a file, counted by ffprobe. */
export async function countFrames(file: string): Promise<number> {
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-count_frames',
    '-show_entries',
    'stream=nb_read_frames',
    '-of',
    'csv=p=0',
    file,
  ]);
  return Number(stdout.trim().replace(/,$/, ''));
}

/**
 * What ffmpeg says against a file when it decodes all of it; empty for a sound one. Times are judged in
 * the file's own ticks: a picture at a seam may be shown for less than the frame time.
 */
export async function decodeErrors(file: string): Promise<string> {
  try {
    const { stderr } = await run('ffmpeg', [
      '-v',
      'error',
      '-xerror',
      '-i',
      file,
      '-enc_time_base',
      '-1',
      '-f',
      'null',
      '-',
    ]);
    return stderr.trim();
  } catch (error) {
    return (error as { stderr?: string }).stderr ?? String(error);
  }
}
