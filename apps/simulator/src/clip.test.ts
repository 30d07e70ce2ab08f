// Clips as values: where a moment lies, how streams are cut, what packets look like.

import { joinAnnexB, splitAnnexB } from './annex-b.js';
import { Clip, groupFrames, isKeyFrame, type ClipFrame } from './clip.js';
import { packetizeFrame, packetizeGroup } from './rtp-packets.js';
import { depacketize } from './rtsp-client.test-support.js';

function frame(key: boolean, duration90k = 6000, bytes = 20): ClipFrame {
  const nal = Buffer.alloc(bytes, 0x77);
  nal[0] = key ? 0x65 : 0x41;
  return { data: joinAnnexB([nal]), key, duration90k, ctsOffset90k: 0 };
}

const description = { codec: 'h264', width: 64, height: 64, fps: 15 } as const;

test('start codes of three and four bytes, and zeros behind a unit', () => {
  const stream = Buffer.from([9, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 0, 3]);
  expect(splitAnnexB(stream).map((nal) => [...nal])).toEqual([
    [0x67, 1],
    [0x68, 2],
    [0x65, 0, 3],
  ]);
  expect(splitAnnexB(Buffer.alloc(0))).toEqual([]);
  expect(splitAnnexB(Buffer.from([0, 0, 1]))).toEqual([]);
});

test('a moment of an endless loop lies in one group, at every tick of uneven groups', () => {
  const lengths = [3, 1, 5];
  const frames = lengths.flatMap((length) =>
    Array.from({ length }, (_, index) => frame(index === 0, 1000 + index)),
  );
  const clip = new Clip(description, groupFrames(frames));
  let start = 0;
  for (let group = 0; group < 3; group++) {
    const { duration90k } = clip.groups[group] ?? { duration90k: 0 };
    for (const loop of [0, 1, 1_000_000]) {
      const base = loop * clip.duration90k + start;
      expect(clip.positionAt(base)).toEqual({ group, offset90k: 0 });
      const end = duration90k - 1;
      expect(clip.positionAt(base + end)).toEqual({ group, offset90k: end });
    }
    start += duration90k;
  }
  expect(clip.duration90k).toBe(start);
});

test('frames before the first key frame are left out, and a group must start with one', () => {
  const groups = groupFrames([frame(false), frame(true), frame(false), frame(true)]);
  expect(groups.map((group) => group.frames.length)).toEqual([2, 1]);
  const headless = { frames: [frame(false)], duration90k: 1 };
  expect(() => new Clip(description, [headless])).toThrow('key frame');
});

test('key frames by their NAL types', () => {
  const h265 = (type: number): Uint8Array => joinAnnexB([Buffer.from([type << 1, 1, 0x80])]);
  expect(isKeyFrame('h264', frame(true).data)).toBe(true);
  expect(isKeyFrame('h264', frame(false).data)).toBe(false);
  expect([16, 19, 20, 21].map((type) => isKeyFrame('h265', h265(type)))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([1, 9, 32].some((type) => isKeyFrame('h265', h265(type)))).toBe(false);
});

test.each([
  ['h264', [0x65]],
  ['h265', [0x26, 0x01]],
] as const)('%s of any size fits the packets and comes back', (codec, header) => {
  for (const bytes of [2, 3, 1343, 1344, 1345, 2686, 2687, 50_000]) {
    const nal = Buffer.alloc(bytes, 0xab);
    nal.set(header);
    const packets = packetizeFrame(codec, joinAnnexB([nal, nal]));
    for (const packet of packets) {
      expect(packet.length - 4).toBe(packet.readUInt16BE(2));
      expect(packet.length + 40).toBeLessThanOrEqual(1400);
    }
    const markers = packets.map((packet) => (packet[5] ?? 0) >> 7);
    expect(markers.filter((marker) => marker === 1)).toEqual([1]);
    const [unit] = depacketize(
      codec,
      packets.map((packet) => packet.subarray(4)),
    );
    expect(unit?.nals).toEqual([nal, nal]);
  }
});

test('packets are due within their frame, in order; all at its start with burst', () => {
  const group = {
    frames: [frame(true, 6000, 30_000), frame(false, 6000, 9000)],
    duration90k: 12_000,
  };
  const paced = packetizeGroup('h264', group, 'paced');
  const dues = [...paced.dues90k];
  expect(dues).toEqual([...dues].sort((a, b) => a - b));
  expect(dues[0]).toBe(0);
  expect(new Set(dues).size).toBe(paced.count);
  expect(dues.filter((due) => due < 6000)).toHaveLength(23);
  expect(new Set(packetizeGroup('h264', group, 'burst').dues90k)).toEqual(new Set([0, 6000]));
  expect(new Set(paced.ticks90k)).toEqual(new Set([0, 6000]));
});
