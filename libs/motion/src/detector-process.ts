// The detector process: reads frames from standard input, decodes and looks at them one after the
// other, and writes what it saw to standard output. The parent's pipe backs up while it is busy.

import { constants, setPriority } from 'node:os';
import { AV_LOG_QUIET } from 'node-av/constants';
import { Log } from 'node-av/lib';
import { messageOf } from '#base';
import type { MotionSettings } from './channel-types.js';
import { DetectorChannel } from './detector-channel.js';
import { closeInheritedFiles } from './inherited-files.js';
import {
  CLOSE,
  FORMAT,
  FRAME,
  FRAME_HEAD_BYTES,
  HEAD_BYTES,
  MessageReader,
  OPEN,
  PING,
  progressMessage,
  sampleMessage,
  SETTINGS,
  undecodableMessage,
  type Message,
  type WireFormat,
} from './wire.js';

/** Progress is told after so many bytes, so that the parent knows how much is in flight. */
const PROGRESS_EVERY_BYTES = 256 * 1024;

const COMPLAIN_EVERY_MS = 1000;

closeInheritedFiles();

const channels = new Map<number, DetectorChannel>();
const answers: Buffer[] = [];
let consumedBytes = 0;
let toldBytes = 0;
let complainedAtMs = -Infinity;

function tellProgress(): void {
  const { user, system } = process.cpuUsage();
  toldBytes = consumedBytes;
  answers.push(progressMessage({ consumedBytes, cpuUs: user + system }));
}

function flushAnswers(): void {
  if (answers.length === 0) return;
  process.stdout.write(Buffer.concat(answers));
  answers.length = 0;
}

function openChannel(id: number, settings: MotionSettings): void {
  channels.get(id)?.close();
  const channel = new DetectorChannel(settings, {
    sample: (sample) => void answers.push(sampleMessage(id, sample)),
    undecodable: (frames) => void answers.push(undecodableMessage(id, frames)),
  });
  channels.set(id, channel);
}

/** What one camera sends must not end the work for all the others. */
function decodeFrame(id: number, channel: DetectorChannel, body: Buffer): void {
  try {
    channel.frame(body[0] ?? 0, body.readDoubleLE(1), body.subarray(FRAME_HEAD_BYTES));
  } catch (error) {
    answers.push(undecodableMessage(id, 1));
    complain(id, error);
  }
}

function complain(id: number, error: unknown): void {
  const nowMs = performance.now();
  if (nowMs - complainedAtMs < COMPLAIN_EVERY_MS) return;
  complainedAtMs = nowMs;
  process.stderr.write(`detector: channel ${id}: ${messageOf(error)}\n`);
}

/** A promise only where something must be waited for, so that frames stay cheap. */
function handle({ kind, channel: id, body }: Message): Promise<void> | undefined {
  const channel = channels.get(id);
  switch (kind) {
    case FRAME:
      if (channel !== undefined) decodeFrame(id, channel, body);
      return undefined;
    case PING:
      tellProgress();
      return undefined;
    case OPEN:
      openChannel(id, JSON.parse(body.toString()) as MotionSettings);
      return undefined;
    case SETTINGS:
      channel?.setSettings(JSON.parse(body.toString()) as MotionSettings);
      return undefined;
    case FORMAT:
      return channel
        ?.setFormat(JSON.parse(body.toString()) as WireFormat)
        .catch((error: unknown) => complain(id, error));
    case CLOSE:
      channel?.close();
      channels.delete(id);
      return undefined;
    default:
      throw new TypeError(`unknown message ${kind}`);
  }
}

async function run(): Promise<void> {
  Log.setLevel(AV_LOG_QUIET);
  try {
    // Recording and viewing come first.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    process.stderr.write(`detector: keeps its priority: ${messageOf(error)}\n`);
  }
  process.once('disconnect', leave);
  // The recorder was killed: nobody reads the answers.
  process.stdout.on('error', leave);
  // A terminal sends it to the whole group; the parent decides when this process ends.
  process.on('SIGINT', () => undefined);
  tellProgress();
  flushAnswers();
  const reader = new MessageReader();
  for await (const chunk of process.stdin) {
    reader.feed(chunk as Buffer);
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      const waiting = handle(message);
      if (waiting !== undefined) await waiting;
      consumedBytes += HEAD_BYTES + message.body.length;
      if (consumedBytes - toldBytes >= PROGRESS_EVERY_BYTES) tellProgress();
    }
    flushAnswers();
  }
}

/**
 * Ends at once. There is nothing to save, and nobody may be left to kill a process whose decoder
 * threads keep it from winding up.
 */
function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}

run().then(leave, (error: unknown) => {
  process.stderr.write(`detector: ${messageOf(error)}\n`);
  process.exit(1);
});
