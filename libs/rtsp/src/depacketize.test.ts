// From RTP packets to access units: RFC 6184, RFC 7798, losses, sets, formats, and hostile packets.

import type { VideoCodec, VideoFormat } from '#media';
import { ParameterSets } from '#media';
import { AccessUnits } from './access-units.js';
import { H264Depacketizer } from './h264-depacketizer.js';
import { H265Depacketizer } from './h265-depacketizer.js';
import {
  H264_LARGE_SPS,
  H264_PPS,
  H264_SPS,
  H265_PPS,
  H265_SPS,
  H265_VPS,
  hex,
  packetize,
  RecordingSink,
  rtpPacket,
  seeded,
  slice,
} from './packets.test-support.js';
import { RtpReceiver } from './rtp-receiver.js';
import { RtpTimeline } from './rtp-timeline.js';
import { newCounters } from './stream-face.js';

function bench(codec: VideoCodec = 'h264', knownSets: readonly Uint8Array[] = [], don = false) {
  const sets = new ParameterSets(codec);
  for (const set of knownSets) sets.put(set);
  const counters = newCounters();
  const sink = new RecordingSink();
  const formats: VideoFormat[] = [];
  let nowMs = 0;
  const units = new AccessUnits({
    sets,
    counters,
    timeline: new RtpTimeline(),
    monotonicMs: () => nowMs,
    nowUnixUs: () => nowMs * 1000,
    onFormat: (format) => {
      sink.log.push(`format ${format.width}x${format.height}`);
      formats.push(format);
      return formats.length === 1 ? sink : undefined;
    },
  });
  const depacketizer =
    codec === 'h264' ? new H264Depacketizer(units) : new H265Depacketizer(units, don);
  const receiver = new RtpReceiver({ payloadType: 96, depacketizer, units, counters });
  return {
    sets,
    counters,
    sink,
    formats,
    units,
    advance: (ms: number) => (nowMs += ms),
    feed: (packets: readonly Uint8Array[]) => {
      for (const packet of packets) {
        // Inside a larger buffer, as in life: nothing may look beyond its packet.
        const buffer = Buffer.concat([Buffer.alloc(5, 0xee), packet, Buffer.alloc(5, 0xee)]);
        receiver.receive(buffer, 5, 5 + packet.length);
      }
    },
  };
}

const SETS = { h264: [H264_SPS, H264_PPS], h265: [H265_VPS, H265_SPS, H265_PPS] };

describe.each(['h264', 'h265'] as const)('%s', (codec) => {
  const sets = SETS[codec];
  const key = slice(codec, true, 5000, 1);
  const inter = slice(codec, false, 700, 2);
  const sei =
    codec === 'h264' ? Buffer.from('0605010280', 'hex') : Buffer.from('4e01050180', 'hex');
  const aud = codec === 'h264' ? Buffer.from('09f0', 'hex') : Buffer.from('460150', 'hex');

  test.each([
    ['each unit in its packet', {}],
    ['small units together', { aggregate: true }],
    ['tiny fragments', { maxPayload: 100 }],
    ['without marker bits', { marker: false }],
  ])('whole units: %s', (_, options) => {
    const { feed, sink, formats, counters } = bench(codec);
    let sequence = 65_530;
    for (let frame = 0; frame < 4; frame++) {
      const nals = frame % 2 === 0 ? [aud, ...sets, sei, key] : [aud, sei, inter];
      const timestamp = 1000 + frame * 3600;
      const packets = packetize(nals, { codec, sequence, timestamp, ...options });
      sequence += packets.length;
      feed(packets);
    }
    feed(packetize([inter], { codec, sequence, timestamp: 100_000 }));
    expect(sink.frames).toHaveLength(5);
    expect(sink.frames[0]).toEqual({ pts90k: 1000, units: hex(...sets, sei, key) });
    expect(sink.frames[1]).toEqual({ pts90k: 4600, units: hex(sei, inter) });
    expect(sink.frames[2]).toEqual({ pts90k: 8200, units: hex(...sets, sei, key) });
    expect(sink.dropped).toEqual([]);
    expect(formats).toHaveLength(1);
    expect(formats[0]).toMatchObject({ codec, width: 640, height: 360 });
    expect(counters).toMatchObject({ frames: 5, lostPackets: 0, malformedPackets: 0 });
  });

  test('sets of the SDP stand in front of each key frame that brings none', () => {
    const { feed, sink } = bench(codec, sets);
    feed(packetize([key], { codec, sequence: 1 }));
    feed(packetize([inter], { codec, sequence: 10, timestamp: 3600 }));
    feed(packetize([sei, key], { codec, sequence: 11, timestamp: 7200 }));
    expect(sink.frames[0]?.units).toEqual(hex(...sets, key));
    expect(sink.frames.at(-1)?.units).toEqual(hex(...sets, sei, key));
  });

  test('a lost packet costs its access unit and says so', () => {
    for (const missing of [0, 2, 4]) {
      const { feed, sink, counters } = bench(codec, sets);
      feed(packetize([key], { codec, sequence: 0 }));
      const damaged = packetize([key], { codec, sequence: 5, timestamp: 3600 });
      feed(damaged.filter((_, index) => index !== missing));
      feed(packetize([inter], { codec, sequence: 5 + damaged.length, timestamp: 7200 }));
      expect(counters.lostPackets).toBe(1);
      expect(sink.log.slice(0, 3)).toEqual([
        'format 640x360',
        `frame ${sets.length + 1}`,
        'packet-lost',
      ]);
    }
  });

  test('when whole units are lost the next one that is no key frame goes too', () => {
    const { feed, sink } = bench(codec, sets);
    feed(packetize([key], { codec, sequence: 0 }));
    feed(packetize([inter], { codec, sequence: 20, timestamp: 9000 }));
    feed(packetize([inter], { codec, sequence: 21, timestamp: 12_600 }));
    expect(sink.log.slice(1)).toEqual([`frame ${sets.length + 1}`, 'packet-lost', 'frame 1']);
    feed(packetize([key], { codec, sequence: 30, timestamp: 16_200 }));
    expect(sink.log.slice(1)).toEqual([
      `frame ${sets.length + 1}`,
      'packet-lost',
      'frame 1',
      `frame ${sets.length + 1}`,
    ]);
  });

  test('joined in the middle of a picture: its rest is passed over without a word', () => {
    const { feed, sink, counters } = bench(codec, sets);
    const packets = packetize([key], { codec, sequence: 0 });
    feed(packets.slice(2));
    feed(packetize([key], { codec, sequence: packets.length, timestamp: 3600 }));
    expect(sink.frames).toHaveLength(1);
    expect(counters).toMatchObject({ dropped: {}, malformedPackets: 0, lostPackets: 0 });
  });

  test('frames before any parameter set are counted, not given', () => {
    const { feed, sink, counters } = bench(codec);
    feed(packetize([key], { codec, sequence: 0 }));
    feed(packetize([inter], { codec, sequence: 5, timestamp: 3600 }));
    expect(sink.log).toEqual([]);
    expect(counters.dropped).toEqual({ 'before-parameter-sets': 2 });
  });

  test('mutated packets break nothing', () => {
    const random = seeded(42);
    const good = bench(codec, sets);
    let sequence = 0;
    for (let round = 0; round < 1000; round++) {
      const nals = [aud, ...sets, sei, slice(codec, random(3) === 0, 20 + random(3000), round)];
      const options = { codec, sequence, timestamp: round * 3600, maxPayload: 50 + random(1400) };
      const packets = packetize(nals.slice(random(nals.length)), {
        ...options,
        aggregate: round % 2 === 0,
      });
      sequence += packets.length;
      const mutated = packets
        .filter(() => random(40) !== 0)
        .map((packet) => {
          if (random(8) === 0)
            for (let flips = random(6); flips > 0; flips--)
              packet[random(packet.length)] = random(256);
          return random(20) === 0 ? packet.subarray(0, random(packet.length + 1)) : packet;
        });
      if (random(10) === 0) mutated.reverse();
      good.feed(mutated);
    }
    good.units.end();
    // The sink itself checks the order of calls; and not everything may be lost.
    expect(good.sink.frames.length).toBeGreaterThan(200);
    expect(good.counters.frames).toBe(good.sink.frames.length);
    for (const { units } of good.sink.frames) expect(units.length).toBeLessThan(100);
  });
});

describe('formats', () => {
  const key = slice('h264', true, 500, 1);

  test('a new SPS in band is announced before its key frame', () => {
    const { feed, sink, formats } = bench('h264', [H264_SPS, H264_PPS]);
    feed(packetize([key], { sequence: 0 }));
    feed(packetize([H264_LARGE_SPS, H264_PPS, key], { sequence: 1, timestamp: 3600 }));
    feed(packetize([key], { sequence: 4, timestamp: 7200 }));
    expect(sink.log).toEqual([
      'format 640x360',
      'frame 3',
      'format 1920x1080',
      'frame 3',
      'frame 3',
    ]);
    expect(formats[1]?.codecString).toBe('avc1.640028');
    expect(sink.frames[2]?.units).toEqual(hex(H264_LARGE_SPS, H264_PPS, key));
  });

  test('a stream without any key frame begins with its sets', () => {
    const { feed, sink, counters } = bench();
    const inter = slice('h264', false, 300, 2);
    feed(packetize([inter], { sequence: 0 }));
    feed(packetize([H264_SPS, H264_PPS, inter], { sequence: 1, timestamp: 3600 }));
    feed(packetize([inter], { sequence: 4, timestamp: 7200 }));
    expect(sink.log).toEqual(['format 640x360', 'frame 3', 'frame 1']);
    expect(counters.dropped).toEqual({ 'before-parameter-sets': 1 });
  });

  test('sets that come in a packet with a marker of their own belong to the next frame', () => {
    const { feed, sink } = bench();
    feed(packetize([H264_SPS], { sequence: 0 }));
    feed(packetize([H264_PPS], { sequence: 1 }));
    feed(packetize([key], { sequence: 2 }));
    expect(sink.frames.map(({ units }) => units)).toEqual([hex(H264_SPS, H264_PPS, key)]);
  });

  test('a camera that sets the marker in each slice is understood from the second frame on', () => {
    const { feed, sink } = bench('h264', [H264_SPS, H264_PPS]);
    const second = Buffer.from(key);
    second[1] = 0x48;
    for (let frame = 0; frame < 4; frame++) {
      const timestamp = frame * 3600;
      feed(packetize([key], { sequence: frame * 2, timestamp }));
      feed(packetize([second], { sequence: frame * 2 + 1, timestamp }));
    }
    expect(sink.log).toEqual(['format 640x360', 'frame 3', 'malformed', 'frame 4', 'frame 4']);
  });

  test('reordering that the SPS leaves open is learned from the times', () => {
    const sps = H264_LARGE_SPS.subarray(0, 14);
    const { feed, formats } = bench('h264', [sps, H264_PPS]);
    const inter = slice('h264', false, 50, 3);
    const order = [0, 3, 1, 2, 6, 4, 5];
    order.forEach((picture, index) =>
      feed(packetize([index === 0 ? key : inter], { sequence: index, timestamp: picture * 3600 })),
    );
    expect(formats.map(({ reorderFrames }) => reorderFrames)).toEqual([0]);
    feed(packetize([key], { sequence: 7, timestamp: 7 * 3600 }));
    feed(packetize([key], { sequence: 8, timestamp: 8 * 3600 }));
    expect(formats.map(({ reorderFrames }) => reorderFrames)).toEqual([0, 1]);
  });

  test('an access unit beyond all bounds is dropped', () => {
    const { feed, sink, counters } = bench('h264', [H264_SPS, H264_PPS]);
    const body = Buffer.alloc(60_000, 0xaa);
    for (let part = 0; part < 200; part++) {
      const head = Buffer.from([0x7c, part === 0 ? 0x85 : 0x05]);
      if (part === 0) body[0] = 0x88;
      feed([rtpPacket(Buffer.concat([head, body]), { sequence: part })]);
    }
    feed(packetize([key], { sequence: 200, timestamp: 3600 }));
    expect(sink.log).toEqual(['format 640x360', 'too-large', 'frame 3']);
    expect(counters.dropped).toEqual({ 'too-large': 1 });
  });

  test('endless units in front of a slice fill no memory', () => {
    const { feed, sink, counters } = bench('h264', [H264_SPS, H264_PPS]);
    feed(packetize([key], { sequence: 0 }));
    const sei = Buffer.alloc(60_000, 0x06);
    for (let index = 1; index < 500; index++)
      feed([rtpPacket(sei, { sequence: index, timestamp: 9 })]);
    expect(counters.malformedPackets).toBeGreaterThan(100);
    feed(packetize([key], { sequence: 500, timestamp: 3600 }));
    expect(sink.frames).toHaveLength(2);
  });

  test('interleaved-only packet types are malformed', () => {
    const { feed, counters } = bench('h264', [H264_SPS, H264_PPS]);
    for (const [index, type] of [25, 26, 27, 29, 30, 0].entries()) {
      feed([rtpPacket(Buffer.from([type, 1, 2, 3, 4]), { sequence: index })]);
    }
    expect(counters.malformedPackets).toBe(6);
  });
});

describe('RFC 7798 with decoding order numbers', () => {
  test('they are stepped over', () => {
    const { feed, sink } = bench('h265', [], true);
    const key = slice('h265', true, 300, 4);
    const number = Buffer.from([0, 7]);
    const sized = (unit: Buffer) => Buffer.concat([Buffer.from([0, unit.length]), unit]);
    const aggregate = Buffer.concat([
      Buffer.from([0x60, 0x01]),
      number,
      sized(H265_VPS),
      Buffer.from([1]),
      sized(H265_SPS),
      Buffer.from([1]),
      sized(H265_PPS),
    ]);
    const single = Buffer.concat([key.subarray(0, 2), number, key.subarray(2)]);
    // Only a unit's first fragment has one (4.4.3).
    const fragment = (flags: number, ...body: Buffer[]) =>
      Buffer.concat([Buffer.from([0x62, 0x01, flags | 19]), ...body]);
    feed([rtpPacket(aggregate, { sequence: 0 }), rtpPacket(single, { sequence: 1, last: true })]);
    feed([
      rtpPacket(fragment(0x80, number, key.subarray(2, 100)), { sequence: 2, timestamp: 3600 }),
      rtpPacket(fragment(0x40, key.subarray(100)), { sequence: 3, timestamp: 3600, last: true }),
    ]);
    const units = hex(H265_VPS, H265_SPS, H265_PPS, key);
    expect(sink.frames.map((frame) => frame.units)).toEqual([units, units]);
  });
});

describe('RTP', () => {
  const key = slice('h264', true, 100, 1);
  const sets = [H264_SPS, H264_PPS];

  test('padding, contributing sources and extensions are stepped over', () => {
    const { feed, sink } = bench('h264', sets);
    const [plain] = packetize([key], { sequence: 0 }) as [Buffer];
    const head = Buffer.from(plain.subarray(0, 12));
    head[0] = 0xb2;
    const sources = Buffer.alloc(8);
    const extension = Buffer.from([0xbe, 0xde, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    const padding = Buffer.from([0, 0, 3]);
    feed([Buffer.concat([head, sources, extension, plain.subarray(12), padding])]);
    expect(sink.frames[0]?.units.at(-1)).toBe(key.toString('hex'));
  });

  test('packets that cannot be are counted', () => {
    const { feed, counters, sink } = bench('h264', sets);
    const [good] = packetize([key], { sequence: 0 }) as [Buffer];
    const padded = Buffer.from(good);
    padded[0] = 0xa0;
    padded[padded.length - 1] = 255;
    const zeroPadded = Buffer.from(padded);
    zeroPadded[zeroPadded.length - 1] = 0;
    const extended = Buffer.from(good.subarray(0, 14));
    extended[0] = 0x90;
    const version = Buffer.from(good);
    version[0] = 0x40;
    feed([padded, zeroPadded, extended, version, good.subarray(0, 11), Buffer.alloc(0)]);
    expect(counters.malformedPackets).toBe(6);
    expect(sink.log).toEqual([]);
  });

  test('late and doubled packets are passed over, another beginning is followed', () => {
    const { feed, sink, counters } = bench('h264', sets);
    const frames = [0, 1, 2].map((index) =>
      packetize([key], { sequence: 100 + index, timestamp: index * 3600 }),
    );
    feed(frames.flat());
    feed(frames[1] ?? []);
    expect(sink.frames).toHaveLength(3);
    feed(packetize([key], { sequence: 40_000, timestamp: 4 * 3600 }));
    feed(packetize([key], { sequence: 40_001, timestamp: 5 * 3600 }));
    feed(packetize([key], { sequence: 40_002, timestamp: 6 * 3600 }));
    expect(sink.frames).toHaveLength(5);
    expect(counters.lostPackets).toBe(1);
  });

  test('another source takes over with a new time base', () => {
    const { feed, sink, counters, advance } = bench('h264', sets);
    feed(packetize([key], { sequence: 100, timestamp: 50_000 }));
    advance(40);
    feed(packetize([key], { sequence: 5, timestamp: 51_000, ssrc: 99 }));
    feed(packetize([key], { sequence: 6, timestamp: 54_600, ssrc: 99 }));
    expect(sink.frames.map(({ pts90k }) => pts90k)).toEqual([50_000, 53_600, 57_200]);
    expect(counters.clockJumps).toBe(1);
  });

  test('other payload types do not disturb', () => {
    const { feed, sink, counters } = bench('h264', sets);
    feed(packetize([key], { sequence: 1 }));
    feed([rtpPacket(Buffer.alloc(20), { payloadType: 97, sequence: 900 })]);
    feed(packetize([key], { sequence: 2, timestamp: 3600 }));
    expect(sink.frames).toHaveLength(2);
    expect(counters.lostPackets).toBe(0);
  });
});

describe('the timeline', () => {
  test('goes on over a wrap, and back for reordered frames', () => {
    const timeline = new RtpTimeline();
    const start = 2 ** 32 - 3600;
    const times = [start, 0, 7200, 3600, 10_800].map((time) => timeline.next(time >>> 0, 0));
    expect(times.map((time) => time - start)).toEqual([0, 3600, 10_800, 7200, 14_400]);
    expect(timeline.jumps).toBe(0);
  });

  test('a clock that jumps is anchored anew, after the pause that the receiver saw', () => {
    const timeline = new RtpTimeline();
    timeline.next(900_000, 0);
    timeline.next(903_600, 40);
    expect(timeline.next(903_600 + 900_001, 80)).toBe(907_200);
    expect(timeline.next(0, 2080)).toBe(907_200 + 180_000);
    expect(timeline.next(3600, 2120)).toBe(907_200 + 183_600);
    expect(timeline.jumps).toBe(2);
  });

  test('a forward step of ten seconds is a pause, not a jump', () => {
    const timeline = new RtpTimeline();
    timeline.next(0, 0);
    expect(timeline.next(900_000, 0)).toBe(900_000);
    expect(timeline.jumps).toBe(0);
  });

  test('another clock rate is turned into 90 kHz', () => {
    const timeline = new RtpTimeline(1000);
    expect([0, 40, 80].map((time) => timeline.next(time, 0))).toEqual([0, 3600, 7200]);
  });
});
