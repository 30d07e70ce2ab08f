// Parameter sets of real encoders (x264, x265), and of hostile ones.

import { ParameterSets } from './parameter-sets.js';
import { isFirstSlice, nalKind, slicePpsId, splitAnnexB } from './nal-unit.js';
import type { VideoCodec, VideoFormat } from './frame.js';

interface Sample {
  readonly what: string;
  readonly codec: VideoCodec;
  readonly annexB: string;
  readonly expected: Omit<VideoFormat, 'codec' | 'parameterSets'>;
}

const SAMPLES: readonly Sample[] = [
  {
    what: '1080p High with B-frames',
    codec: 'h264',
    annexB: '0000000167640028acd940780227e5c044000003000400000300c83c60c6580000000168ebe3cb22c0',
    expected: {
      width: 1920,
      height: 1080,
      codecString: 'avc1.640028',
      reorderFrames: 2,
      nominalFps: 25,
    },
  },
  {
    what: '360p Constrained Baseline',
    codec: 'h264',
    annexB: '000000016742c01ed900a02ff970110000030001000003003c0f162e480000000168cb83cb20',
    expected: {
      width: 640,
      height: 360,
      codecString: 'avc1.42c01e',
      reorderFrames: 0,
      nominalFps: 30,
    },
  },
  {
    what: '576i in fields',
    codec: 'h264',
    annexB: '000000016764001eacd940b424d8088000000300800000190f8a14cb0000000168fba3cb22c0',
    expected: {
      width: 720,
      height: 576,
      codecString: 'avc1.64001e',
      reorderFrames: 2,
      nominalFps: 25,
    },
  },
  {
    what: 'CIF in 4:4:4',
    codec: 'h264',
    annexB: '0000000167f4000c919b282c12d80880000003008000000f078a14cb0000000168ebe3c44844',
    expected: {
      width: 352,
      height: 288,
      codecString: 'avc1.f4000c',
      reorderFrames: 2,
      nominalFps: 15,
    },
  },
  {
    what: 'a size that is cropped, 29.97 frames a second',
    codec: 'h265',
    annexB:
      '0000000140010c01ffff01600000030090000003000003007895980900000001420101016000000300900000' +
      '030000030078a003c08010e75596566924caf01680800001f480003a9804000000014401c172b46240',
    expected: {
      width: 1918,
      height: 1078,
      codecString: 'hvc1.1.6.L120.90',
      reorderFrames: 2,
      nominalFps: 29.97,
    },
  },
  {
    what: 'ten bits without B-frames',
    codec: 'h265',
    annexB:
      '0000000140010c01ffff02200000030090000003000003003f92809000000001420101022000000300900000' +
      '03000003003fa00502016936592a4932bc05a02000000300200000030181000000014401c172b46240',
    expected: {
      width: 640,
      height: 360,
      codecString: 'hvc1.2.4.L63.90',
      reorderFrames: 0,
      nominalFps: 12,
    },
  },
];

function unitsOf(sample: Sample): Uint8Array[] {
  return splitAnnexB(Buffer.from(sample.annexB, 'hex'));
}

describe('parameter sets', () => {
  test.each(SAMPLES)('$codec, $what', (sample) => {
    const sets = new ParameterSets(sample.codec);
    const units = unitsOf(sample);
    expect(sets.format()).toBeUndefined();
    for (const unit of units) expect(sets.put(unit)).toBe('changed');
    expect(sets.format(0)).toEqual({
      codec: sample.codec,
      parameterSets: units.map((unit) => Uint8Array.from(unit)),
      ...sample.expected,
    });
  });

  test('the same sets again change nothing, and the format stays the same object', () => {
    const [sample] = SAMPLES as [Sample];
    const sets = new ParameterSets('h264');
    for (const unit of unitsOf(sample)) sets.put(unit);
    const { version } = sets;
    const format = sets.format(0);
    for (const unit of unitsOf(sample)) expect(sets.put(unit)).toBe('unchanged');
    expect(sets.version).toBe(version);
    expect(sets.format(0)).toBe(format);
  });

  test('a new SPS of the same id replaces the old one', () => {
    const [large, small] = SAMPLES as [Sample, Sample];
    const sets = new ParameterSets('h264');
    for (const unit of [...unitsOf(large), ...unitsOf(small)]) sets.put(unit);
    expect(sets.format(0)).toMatchObject({ width: 640, height: 360 });
    expect(sets.format(0)?.parameterSets).toHaveLength(2);
  });

  test('an SPS that leaves reordering open says so', () => {
    // 1080p High, with its VUI cut off before the frame rate.
    const sps = Buffer.from('67640028acd940780227e5c044000003', 'hex');
    const sets = new ParameterSets('h264');
    expect(sets.put(sps)).toBe('changed');
    sets.put(Buffer.from('68ebc3cb22c0', 'hex'));
    const format = sets.format() as VideoFormat;
    expect(format).toMatchObject({ width: 1920, height: 1080, reorderFrames: 0 });
    expect(sets.reorderingIsOpen(format)).toBe(true);
  });

  test('cut and changed sets are ignored or read, but never break anything', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    for (let round = 0; round < 5000; round++) {
      const sample = SAMPLES[random(SAMPLES.length)] as Sample;
      const sets = new ParameterSets(sample.codec);
      for (const unit of unitsOf(sample)) {
        const bad = Buffer.from(unit.subarray(0, 1 + random(unit.length)));
        for (let flip = random(4); flip > 0; flip--) {
          const at = random(bad.length);
          bad.writeUInt8((bad[at] ?? 0) ^ (1 << random(8)), at);
        }
        sets.put(bad);
      }
      const format = sets.format();
      if (format === undefined) continue;
      expect(format.width).toBeGreaterThan(0);
      expect(format.width).toBeLessThanOrEqual(16_384);
      expect(format.height).toBeLessThanOrEqual(32_768);
      expect(format.reorderFrames).toBeLessThanOrEqual(16);
      expect(format.codecString).toMatch(/^(avc1|hvc1)\.[0-9A-Za-z.]+$/);
    }
  });

  test('no camera fills the memory with sets', () => {
    const sets = new ParameterSets('h265');
    const [vps] = unitsOf(SAMPLES[4] as Sample) as [Uint8Array];
    expect(sets.put(new Uint8Array(10_000).fill(0x42))).toBe('ignored');
    expect(sets.put(vps.subarray(0, 1))).toBe('ignored');
    expect(sets.put(new Uint8Array(0))).toBe('ignored');
  });
});

describe('NAL units', () => {
  test('kinds', () => {
    expect([0x67, 0x68, 0x65, 0x41, 0x06, 0x09, 0x0c].map((byte) => nalKind('h264', byte))).toEqual(
      ['set', 'set', 'key-slice', 'slice', 'other', 'delimiter', 'delimiter'],
    );
    const h265 = [0x40, 0x42, 0x44, 0x26, 0x2a, 0x02, 0x4e, 0x46];
    expect(h265.map((byte) => nalKind('h265', byte))).toEqual([
      'set',
      'set',
      'set',
      'key-slice',
      'key-slice',
      'slice',
      'other',
      'delimiter',
    ]);
  });

  test('a slice names its picture parameter set', () => {
    // first_mb 0 (1), slice type 7 (0001000), pps id 0 (1): an x264 IDR slice.
    expect(slicePpsId('h264', 0x65, Buffer.from('888400', 'hex'))).toBe(0);
    // first_mb 0 (1), slice type 5 (00110), pps id 3 (00100).
    expect(slicePpsId('h264', 0x41, Buffer.from([0b10011000, 0b10000000]))).toBe(3);
    // First segment (1), no_output_of_prior_pics (0), pps id 1 (010).
    expect(slicePpsId('h265', 0x26, Buffer.from([0b10010000]))).toBe(1);
    expect(slicePpsId('h265', 0x26, Buffer.from([0b00010000]))).toBeUndefined();
    expect(slicePpsId('h264', 0x41, new Uint8Array(0))).toBeUndefined();
    expect(isFirstSlice(0x88)).toBe(true);
    expect(isFirstSlice(0x48)).toBe(false);
  });

  test('splitting takes three and four byte start codes and zeros at the end', () => {
    const stream = Buffer.from('00000001670102000001680300000000016504050000', 'hex');
    expect(splitAnnexB(stream).map((unit) => Buffer.from(unit).toString('hex'))).toEqual([
      '670102',
      '6803',
      '650405',
    ]);
    expect(splitAnnexB(new Uint8Array(0))).toEqual([]);
  });
});
