// Opens a TCP or TLS connection to a camera; its bytes are read into one buffer of the process.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '#base';
import { placeOf, type RtspUrl } from './rtsp-url.js';
import { socketError, streamError } from './stream-error.js';
import { MUCH_BYTES } from './read-turns.js';

const READ_BUFFER_BYTES = MUCH_BYTES;
/**
 * The kernel asks at 0, 1 and 3 s: a camera that comes back later than that is found sooner by the
 * next knock than by its next question at 7 s.
 */
const CONNECT_MS = 4000;
/**
 * Cameras sign their own certificates, with the keys and ciphers of the year they were built: TLS
 * hides the stream here, it proves no identity.
 */
const WEAKEST_TLS = {
  rejectUnauthorized: false,
  minVersion: 'TLSv1',
  ciphers: 'DEFAULT@SECLEVEL=0',
} as const;

export interface SocketOptions {
  readonly url: Pick<RtspUrl, 'secure' | 'host' | 'port'>;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** The bytes are valid during the call only; false pauses reading until somebody resumes it. */
  onRead(bytes: Uint8Array, count: number): boolean;
  /** Once, when a connection that stood is over: why. */
  onOver(error: Error): void;
}

/**
 * One for all connections of the process: bytes are consumed before the read's callback returns.
 * Not on Windows, where the kernel fills the buffers of several sockets at once.
 */
let sharedReadBuffer: Buffer | undefined;

function readBuffer(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(64 * 1024);
  sharedReadBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

/** Resolves when the connection stands; rejects, with nothing left open, with why it does not. */
export function openSocket(options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  const { url, clock, deadlineMs } = options;
  const place = placeOf(url);
  return new Promise((resolve, reject) => {
    let socket: Socket | undefined;
    let standing = false;
    const abort = () => fail(streamError('stopped', 'the stream was stopped'));
    const expire = (ms: number) =>
      clock.after(ms, () =>
        fail(streamError('unreachable', `${place} did not answer within ${ms} ms`)),
      );
    let timer = expire(Math.min(CONNECT_MS, deadlineMs));
    const settle = () => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: Error) => {
      settle();
      socket?.destroy();
      reject(error);
    };
    const over = (error: Error) => {
      if (standing) options.onOver(error);
      else fail(error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    const target = {
      host: url.host,
      port: url.port,
      onread: {
        buffer: readBuffer(),
        callback: (count: number, bytes: Uint8Array) => options.onRead(bytes, count),
      },
    };
    const opened = url.secure ? connectTls({ ...target, ...WEAKEST_TLS }) : connect(target);
    socket = opened;
    if (url.secure) {
      // The keys of a small processor may take their time.
      opened.once('connect', () => {
        timer.cancel();
        if (!opened.destroyed) timer = expire(deadlineMs);
      });
    }
    opened.once(url.secure ? 'secureConnect' : 'connect', () => {
      standing = true;
      settle();
      opened.setNoDelay(true);
      resolve(opened);
    });
    opened.on('error', (error) => over(socketError(error, place)));
    const closed = () => over(streamError('closed-by-camera', `${place} closed the connection`));
    opened.once('end', closed);
    opened.once('close', closed);
  });
}
