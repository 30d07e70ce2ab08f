// What is fuzzed: every parser that reads bytes of a camera or of a damaged disk, and what each
// must keep. It looks behind the faces of the rooms, because that is where strangers' bytes go.

import { crc32c } from '@node-rs/crc32';
import { ByteWriter } from '../../libs/base/src/index.js';
import {
  ParameterSets,
  slicePpsId,
  splitAnnexB,
  type VideoCodec,
} from '../../libs/media/src/index.js';
import { AccessUnits } from '../../libs/rtsp/src/access-units.js';
import { Authentication, readChallenges } from '../../libs/rtsp/src/authentication.js';
import { H264Depacketizer } from '../../libs/rtsp/src/h264-depacketizer.js';
import { H265Depacketizer } from '../../libs/rtsp/src/h265-depacketizer.js';
import { packetize } from '../../libs/rtsp/src/packets.test-support.js';
import { ReorderWindow } from '../../libs/rtsp/src/reorder-window.js';
import { RtpReceiver } from '../../libs/rtsp/src/rtp-receiver.js';
import { RtpTimeline } from '../../libs/rtsp/src/rtp-timeline.js';
import { parseRtspUrl, resolveControl } from '../../libs/rtsp/src/rtsp-url.js';
import { chooseVideo, parameterSetsOf, parseSdp, whyNoVideo } from '../../libs/rtsp/src/sdp.js';
import { readRtcp } from '../../libs/rtsp/src/sender-report.js';
import { newCounters } from '../../libs/rtsp/src/stream-face.js';
import { readTransport } from '../../libs/rtsp/src/transport-header.js';
import { WireParser } from '../../libs/rtsp/src/wire-parser.js';
import { CAMERA, realRecord } from '../../libs/store/src/footage.test-support.js';
import {
  decodeRecordHeader,
  encodeRecordHeader,
  KIND_RECORD,
  KIND_SEAL,
  kindOf,
} from '../../libs/store/src/record-header.js';
import { decodeSeal, writeSeal } from '../../libs/store/src/seal.js';
import { maxSeiBytes, readSei, writeSei } from '../../libs/store/src/sei.js';
import { CheckingSink } from './checking-sink.js';
import { answered, mustHold } from './fuzz-checks.js';
import type { FuzzTarget } from './fuzz-engine.js';
import { audioTargets } from './fuzz-audio.js';
import { rtmpTargets } from './fuzz-rtmp.js';
import { ANSWERS, CHALLENGES, CONTROLS, REPORTS, SDPS, TRANSPORTS } from './fuzz-seeds.js';

/** A receiver lives so long before a new one begins, as a camera's runs would. */
const PACKETS_A_RUN = 400;
const MAX_PENDING_BYTES = 300 * 1024;

export function fuzzTargets(): FuzzTarget[] {
  return [
    wire(),
    descriptions(),
    transports(),
    challenges(),
    urls(),
    packets('h264', false),
    packets('h265', false),
    packets('h265', true),
    reports(),
    reordering(),
    sets('h264'),
    sets('h265'),
    recordHeaders(),
    ...audioTargets(),
    ...rtmpTargets(),
  ];
}

function wire(): FuzzTarget {
  const packet = (channel: number, size: number) =>
    Buffer.concat([Buffer.from([0x24, channel, size >> 8, size & 255]), Buffer.alloc(size, 0x41)]);
  const seeds = [
    ...ANSWERS.map((text) => Buffer.from(text)),
    Buffer.concat([packet(0, 500), Buffer.from(ANSWERS[0] ?? ''), packet(1, 40), packet(0, 1400)]),
    Buffer.concat([Buffer.from(ANSWERS[1] ?? ''), packet(0, 1), packet(0, 0), packet(255, 9)]),
  ];
  let parser: WireParser | undefined;
  let fed = 0;
  let messages = 0;
  let packets = 0;
  const begin = () =>
    new WireParser({
      isChannel: (channel) => channel < 2,
      onPacket: (channel, bytes, start, end) => {
        packets += 1;
        mustHold(channel >= 0 && channel <= 255, 'a channel that is none');
        mustHold(start >= 0 && start <= end && end <= bytes.length, 'a packet outside its bytes');
      },
      onMessage: (message) => {
        messages += 1;
        if (message.kind === 'response') {
          mustHold(message.status >= 0 && message.status <= 999, 'a status that is none');
          mustHold(message.body.length <= MAX_PENDING_BYTES, 'a body beyond its bound');
        }
      },
    });
  return {
    name: 'RTSP wire',
    weight: 12,
    seeds,
    run(input) {
      if (parser === undefined || ++fed % 50 === 0) parser = begin();
      const middle = input.length >> 1;
      const live = parser;
      const whole = answered(() => {
        live.push(input, 0, middle);
        live.push(input, middle, input.length);
        return true;
      });
      mustHold(live.pendingBytes <= MAX_PENDING_BYTES, `${live.pendingBytes} bytes kept`);
      // A connection whose peer cannot be understood is over.
      if (whole === undefined) parser = undefined;
    },
    reached: () => `${messages} messages, ${packets} packets`,
  };
}

function descriptions(): FuzzTarget {
  let videos = 0;
  let formats = 0;
  return {
    name: 'SDP',
    weight: 8,
    seeds: SDPS.map((text) => Buffer.from(text)),
    run(input) {
      const sdp = parseSdp(input.toString('latin1'));
      mustHold(sdp.media.length <= 32, 'more media than the bound');
      mustHold(whyNoVideo(sdp).length < 20_000, 'a sentence without end');
      for (const { codings } of sdp.media) {
        mustHold(codings.length <= 32, 'more codings than the bound');
        for (const { payloadType, clockRate } of codings) {
          mustHold(payloadType >= 0 && payloadType <= 127, `payload type ${payloadType}`);
          mustHold(clockRate > 0 && Number.isSafeInteger(clockRate), `clock rate ${clockRate}`);
        }
      }
      const choice = chooseVideo(sdp);
      if (choice === undefined) return;
      videos += 1;
      const known = new ParameterSets(choice.codec);
      for (const set of parameterSetsOf(choice.coding)) known.put(set);
      if (checkFormat(known)) formats += 1;
    },
    reached: () => `${videos} videos, ${formats} formats`,
  };
}

function transports(): FuzzTarget {
  let grants = 0;
  return {
    name: 'Transport header',
    weight: 4,
    seeds: TRANSPORTS.map((text) => Buffer.from(text)),
    run(input) {
      for (const asked of ['tcp', 'udp'] as const) {
        const granted = answered(() => readTransport(input.toString('latin1'), asked));
        if (granted === undefined) continue;
        grants += 1;
        const [rtp, rtcp] = granted.channels;
        mustHold(rtp >= 0 && rtp <= 255 && rtcp >= 0 && rtcp <= 256, `channels ${rtp}-${rtcp}`);
        const port = granted.serverPort ?? 1;
        mustHold(port > 0 && port < 65_535, `port ${port}`);
      }
    },
    reached: () => `${grants} grants`,
  };
}

function challenges(): FuzzTarget {
  let answers = 0;
  return {
    name: 'authentication',
    weight: 5,
    seeds: CHALLENGES.map((text) => Buffer.from(text)),
    run(input) {
      const text = input.toString('latin1');
      mustHold(readChallenges(text).length <= 4096, 'more challenges than bytes');
      const authentication = new Authentication({ user: 'u', password: 'geheim' }, () => 'c');
      const verdict = authentication.challenge([text]);
      const header = authentication.header('DESCRIBE', 'rtsp://c/');
      mustHold((verdict === 'answerable') === (header !== undefined), 'an answer to no question');
      if (header === undefined) return;
      answers += 1;
      mustHold(!/[\r\n]/.test(header), 'a line end in a header');
      mustHold(!header.includes('geheim'), 'the password in clear');
    },
    reached: () => `${answers} answers`,
  };
}

function urls(): FuzzTarget {
  let cameras = 0;
  return {
    name: 'URLs',
    weight: 4,
    seeds: CONTROLS.map((text) => Buffer.from(text)),
    run(input) {
      const text = input.toString('latin1');
      const [base = '', control] = text.split('|');
      const resolved = resolveControl('rtsp://cam/a?b=1', control);
      mustHold(/^[\u0021-\u007e]+$/.test(resolved), 'a control URL with spaces');
      const url = answered(() => parseRtspUrl(base));
      if (url === undefined) return;
      cameras += 1;
      mustHold(!/[\r\n\s]/.test(url.requestUrl), 'a request URL with spaces');
      mustHold(url.port >= 1 && url.port <= 65_535, `port ${url.port}`);
      mustHold(!/^rtsps?:\/\/[^/]*@/.test(url.requestUrl), 'a password in the request URL');
    },
    reached: () => `${cameras} cameras`,
  };
}

/** Real pictures in single packets, aggregates and fragments. */
function packetSeeds(codec: VideoCodec): Buffer[] {
  const seeds: Buffer[] = [];
  let sequence = 65_400;
  for (let frame = 0; frame < 10; frame++) {
    const record = realRecord({ codec, firstFrame: frame, frameCount: 1, headroomBytes: 0 });
    const units = splitAnnexB(record.buffer.subarray(record.payloadStart, record.payloadEnd));
    for (const options of [{}, { aggregate: true }, { maxPayload: 60 }]) {
      const timestamp = 4_294_960_000 + frame * 3600;
      const made = packetize(units, { codec, sequence, timestamp, ...options });
      sequence += made.length;
      seeds.push(...made);
    }
  }
  return seeds;
}

/** Puts a decoding order number where RFC 7798 wants it in single units and fragments. */
function withOrderNumber(packet: Buffer): Buffer {
  const type = ((packet[12] ?? 0) >> 1) & 63;
  const at = type === 49 ? 15 : 14;
  return Buffer.concat([packet.subarray(0, at), Buffer.from([0, 7]), packet.subarray(at)]);
}

function packets(codec: VideoCodec, orderNumbers: boolean): FuzzTarget {
  let fed = 0;
  let nowMs = 0;
  let receiver: RtpReceiver | undefined;
  let sink = new CheckingSink();
  let sets = new ParameterSets(codec);
  const counters = newCounters();
  const begin = () => {
    sink = new CheckingSink();
    sets = new ParameterSets(codec);
    const units = new AccessUnits({
      sets,
      counters,
      timeline: new RtpTimeline(),
      monotonicMs: () => nowMs,
      nowUnixUs: () => nowMs * 1000,
      onFormat: (format) => {
        mustHold(format.width > 0 && format.height > 0, 'a format without a size');
        return sink;
      },
    });
    return new RtpReceiver({
      payloadType: 96,
      units,
      counters,
      depacketizer:
        codec === 'h264' ? new H264Depacketizer(units) : new H265Depacketizer(units, orderNumbers),
    });
  };
  return {
    name: `RTP ${codec}${orderNumbers ? ' with order numbers' : ''}`,
    weight: orderNumbers ? 6 : 18,
    seeds: orderNumbers ? packetSeeds(codec).map(withOrderNumber) : packetSeeds(codec),
    run(input) {
      if (receiver === undefined || ++fed % PACKETS_A_RUN === 0) receiver = begin();
      // Mostly in order, so that most packets are looked into.
      if (input.length > 4 && fed % 16 !== 0) input.writeUInt16BE(fed & 0xffff, 2);
      nowMs += 5;
      receiver.receive(input, 0, input.length);
      mustHold(sink.openBytes <= 9 * 1024 * 1024, 'a frame beyond its bound');
      for (const reason in counters.dropped) mustHold(reason.length < 30, 'a reason that is none');
    },
    reached: () => {
      const dropped = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
      return `${counters.frames} frames, ${dropped} dropped, ${counters.malformedPackets} malformed`;
    },
  };
}

function reports(): FuzzTarget {
  let clocks = 0;
  return {
    name: 'RTCP',
    weight: 6,
    seeds: REPORTS.map((hex) => Buffer.from(hex, 'hex')),
    run(input) {
      const facts = readRtcp(input, 0, input.length);
      const unixMs = facts?.unixMs ?? 0;
      if (unixMs !== 0) clocks += 1;
      mustHold(Number.isFinite(unixMs), 'a time that is none');
      mustHold(Math.abs(unixMs) < 2 ** 43, 'a time beyond two NTP eras');
    },
    reached: () => `${clocks} clocks`,
  };
}

function reordering(): FuzzTarget {
  let fed = 0;
  let given = 0;
  let window = new ReorderWindow(() => (given += 1));
  return {
    name: 'UDP reordering',
    weight: 5,
    seeds: packetSeeds('h264').slice(0, 40),
    run(input) {
      if (++fed % 1000 === 0) window = new ReorderWindow(() => (given += 1));
      if (input.length < 12) return;
      if (fed % 8 !== 0) input.writeUInt16BE((fed + (fed % 3)) & 0xffff, 2);
      window.push(Buffer.from(input));
      mustHold(window.length >= 0 && window.length <= 32, `${window.length} packets held`);
      mustHold(given <= fed, 'more packets out than in');
    },
    reached: () => `${given} handed out`,
  };
}

function sets(codec: VideoCodec): FuzzTarget {
  const record = realRecord({ codec, firstFrame: 0, frameCount: 2, headroomBytes: 0 });
  const units = splitAnnexB(record.buffer.subarray(record.payloadStart, record.payloadEnd));
  let fed = 0;
  let known = new ParameterSets(codec);
  let formats = 0;
  return {
    name: `${codec === 'h264' ? 'SPS, PPS' : 'VPS, SPS, PPS'} ${codec}`,
    weight: 12,
    seeds: units.map((unit) => Buffer.from(unit)),
    run(input) {
      if (++fed % 500 === 0) known = new ParameterSets(codec);
      known.put(input);
      if (fed % 7 === 0) {
        known = new ParameterSets(codec);
        for (const unit of units) known.put(unit);
        known.put(input);
      }
      if (checkFormat(known)) formats += 1;
      const ppsId = slicePpsId(codec, input[0] ?? 0, input.subarray(1, 17));
      if (ppsId !== undefined) {
        mustHold(Number.isSafeInteger(ppsId) && ppsId >= 0, `PPS id ${ppsId}`);
        known.format(ppsId);
      }
    },
    reached: () => `${formats} formats`,
  };
}

function checkFormat(known: ParameterSets): boolean {
  const format = known.format();
  if (format === undefined) return false;
  const { width, height, reorderFrames, parameterSets } = format;
  mustHold(Number.isSafeInteger(width) && width > 0 && width <= 65_536, `width ${width}`);
  mustHold(Number.isSafeInteger(height) && height > 0 && height <= 65_536, `height ${height}`);
  mustHold(reorderFrames >= 0 && reorderFrames <= 16, `${reorderFrames} frames to reorder`);
  mustHold(parameterSets.length <= 96, `${parameterSets.length} sets`);
  return true;
}

function recordHeaders(): FuzzTarget {
  const writer = new ByteWriter();
  let headers = 0;
  const bodies: Buffer[] = [];
  for (const codec of ['h264', 'h265'] as const) {
    const record = realRecord({ codec, firstFrame: 0, frameCount: 5 });
    bodies.push(Buffer.from(encodeRecordHeader(writer, { camera: CAMERA, track: 'main' }, record)));
  }
  const seals = (['h264', 'h265'] as const).map((codec) =>
    writeSeal(codec, { camera: CAMERA, track: 'main', sha256: 'ab'.repeat(32) }),
  );
  return {
    name: 'record headers and seals',
    weight: 10,
    seeds: [...bodies, ...seals, ...bodies.map((body) => asSei(body))],
    run(input) {
      const found = readSei(input, 0);
      if (found !== undefined && found !== 'incomplete') {
        mustHold(found.end <= input.length, 'an SEI that ends behind its bytes');
        if (readBody(found.body)) headers += 1;
      }
      if (input.length < 6 || input.length > 4096) return;
      // Whoever mutates a body finds the checksum in his way: here it is made right again.
      const body = Buffer.from(input);
      body.writeUInt32BE(crc32c(body.subarray(0, body.length - 4)), body.length - 4);
      if (readBody(body)) headers += 1;
      const again = readSei(asSei(body), 0);
      mustHold(
        again !== undefined && again !== 'incomplete' && again.body.equals(body),
        'what is written is not what is read',
      );
    },
    reached: () => `${headers} headers`,
  };
}

function asSei(body: Buffer): Buffer {
  const target = Buffer.allocUnsafe(maxSeiBytes(body.length));
  return target.subarray(0, writeSei(target, 0, { codec: 'h264', place: 'record', body }));
}

function readBody(body: Buffer): boolean {
  const kind = answered(() => kindOf(body));
  if (kind === KIND_SEAL) answered(() => decodeSeal(body));
  if (kind !== KIND_RECORD) return false;
  const header = answered(() => decodeRecordHeader(body));
  if (header === undefined) return false;
  const { record, frames, payloadBytes } = header;
  mustHold(record.frameCount > 0 && record.frameCount <= body.length, 'frames from nothing');
  mustHold(frames.payloadBytes === payloadBytes, 'a table that is not its payload');
  mustHold(Number.isSafeInteger(record.startUnixUs), 'a start that is no time');
  mustHold(Number.isSafeInteger(record.duration90k), 'a duration that is none');
  return true;
}
