// What cameras send as sound: its description, and frames in packets as RFC 3640, 3016 and 7587 say.

import { silentLog, systemClock } from '../../libs/base/src/index.js';
import { chooseAudio, type AudioChoice } from '../../libs/rtsp/src/audio-choice.js';
import { AudioReceiver } from '../../libs/rtsp/src/audio-receiver.js';
import { rtpPacket } from '../../libs/rtsp/src/packets.test-support.js';
import { parseSdp } from '../../libs/rtsp/src/sdp.js';
import { newCounters } from '../../libs/rtsp/src/stream-face.js';
import { mustHold } from './fuzz-checks.js';
import { Violation, type FuzzTarget } from './fuzz-engine.js';

const PACKETS_A_RUN = 300;
const MAX_FRAME_BYTES = 64 * 1024;

const AAC = [
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 MPEG4-GENERIC/44100/2',
  'a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1210',
];
const LATM = [
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 MP4A-LATM/16000/1',
  'a=fmtp:97 cpresent=0;config=400028103FC0',
];
const OPUS = ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2'];
const ALAW = ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 PCMA/16000/2'];
const LBR = [
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 mpeg4-generic/48000/2',
  'a=fmtp:97 mode=AAC-lbr;config=2B118800;auxiliarydatasizelength=8;ctsdeltalength=4',
];

export function audioTargets(): FuzzTarget[] {
  return [
    descriptions(),
    packets('AAC', AAC, aacPayloads()),
    packets('AAC as LATM', LATM, latmPayloads()),
    packets(
      'Opus',
      OPUS,
      ['78', '7b0342', '0c1122', 'fb3f'].map((hex) => filled(hex, 60)),
    ),
    packets('G.711', ALAW, [filled('d5', 320), filled('d5d5', 0)]),
  ];
}

function chosen(lines: readonly string[]): AudioChoice | undefined {
  const choice = chooseAudio(parseSdp(lines.join('\r\n')));
  return choice === undefined || 'fault' in choice ? undefined : choice;
}

function descriptions(): FuzzTarget {
  let sounds = 0;
  return {
    name: 'SDP of sound',
    weight: 6,
    seeds: [AAC, LATM, OPUS, ALAW, LBR].map((lines) => Buffer.from(lines.join('\r\n'))),
    run(input) {
      const choice = chooseAudio(parseSdp(input.toString('latin1')));
      if (choice === undefined) return;
      if ('fault' in choice) {
        mustHold(/^[\u0020-\u007e]{1,400}$/.test(choice.fault), 'a reason that nobody can read');
        return;
      }
      sounds += 1;
      const { sampleRate, channels } = choice.format;
      mustHold(sampleRate >= 4000 && sampleRate <= 192_000, `${sampleRate} Hz`);
      mustHold(channels >= 1 && channels <= 8, `${channels} channels`);
    },
    reached: () => `${sounds} sounds`,
  };
}

function packets(name: string, lines: readonly string[], payloads: readonly Buffer[]): FuzzTarget {
  const choice = chosen(lines);
  if (choice === undefined) throw new Error(`the description of ${name} is not read`);
  const log = Object.assign(silentLog(), {
    error: ({ err }: { err: unknown }) => {
      // The receiver keeps its faults from the picture; here they must be seen.
      throw err instanceof Error ? err : new Violation(String(err));
    },
  });
  const { audio: counters } = newCounters();
  const sink = {
    frame: (source: Uint8Array, start: number, end: number, at: { readonly pts90k: number }) => {
      mustHold(start >= 0 && start < end && end <= source.length, 'a frame outside its bytes');
      mustHold(end - start <= MAX_FRAME_BYTES, `a frame of ${end - start} bytes`);
      mustHold(Number.isSafeInteger(at.pts90k), `a time that is none: ${at.pts90k}`);
    },
    align: () => undefined,
  };
  const begin = () =>
    new AudioReceiver({
      choice,
      counters,
      clock: systemClock,
      log,
      begin: () => sink,
      onReport: () => undefined,
    });
  let fed = 0;
  let receiver: AudioReceiver | undefined;
  return {
    name: `RTP ${name}`,
    weight: 6,
    seeds: payloads.flatMap((payload, sequence) =>
      [true, false].map((last) => rtpPacket(payload, { payloadType: 97, sequence, last })),
    ),
    run(input) {
      if (receiver === undefined || ++fed % PACKETS_A_RUN === 0) receiver = begin();
      // Mostly in order, so that most packets are looked into.
      if (input.length > 4 && fed % 16 !== 0) input.writeUInt16BE(fed & 0xffff, 2);
      receiver.onRtp(input, 0, input.length);
    },
    reached: () => `${counters.frames} frames, ${counters.malformedPackets} malformed`,
  };
}

function filled(head: string, count: number): Buffer {
  return Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(count, 0x5a)]);
}

/** One frame, three frames, the first part of one, all zeros. */
function aacPayloads(): Buffer[] {
  const header = (size: number) => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(size << 3);
    return bytes;
  };
  const units = (...sizes: number[]) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(sizes.length * 16);
    return Buffer.concat([length, ...sizes.map(header)]);
  };
  return [
    Buffer.concat([units(200), Buffer.alloc(200, 0x21)]),
    Buffer.concat([units(60, 70, 80), Buffer.alloc(210, 0x21)]),
    Buffer.concat([units(500), Buffer.alloc(300, 0x21)]),
    Buffer.concat([units(500), Buffer.alloc(200, 0x21)]),
    Buffer.alloc(20),
  ];
}

/** One element with its length, one longer than 255 bytes, one in the middle of which it ends. */
function latmPayloads(): Buffer[] {
  return [
    Buffer.concat([Buffer.of(100), Buffer.alloc(100, 0x21)]),
    Buffer.concat([Buffer.of(255, 45), Buffer.alloc(300, 0x21)]),
    Buffer.concat([Buffer.of(200), Buffer.alloc(90, 0x21)]),
  ];
}
