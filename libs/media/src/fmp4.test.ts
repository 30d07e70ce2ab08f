// fMP4: golden boxes byte by byte, and whole files judged by ffmpeg where there is one.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fragmentDuration90k,
  FrameTable,
  patchNalLengths,
  writeFmp4Init,
  writeFragmentHead,
  type VideoFormat,
} from './index.js';
import { encodeVideo, hasFfmpeg, type EncodedFrame } from '../../../test/fixtures/encoded-video.js';

const SPS = Buffer.from('6742c00ad90507e84000000300400000030c83c48992', 'hex');
const PPS = Buffer.from('68cb83cb20', 'hex');
const FORMAT: VideoFormat = {
  codec: 'h264',
  width: 320,
  height: 240,
  parameterSets: [SPS, PPS],
  codecString: 'avc1.42c00a',
  reorderFrames: 0,
};

/** `moov/trak/tkhd` and so on, with sizes, in order. */
function boxTree(bytes: Buffer, at = 0, end = bytes.length, path = ''): string[] {
  const names: string[] = [];
  while (at + 8 <= end) {
    const sizeBytes = bytes.readUInt32BE(at);
    const name = path + bytes.toString('latin1', at + 4, at + 8);
    names.push(`${name} ${sizeBytes}`);
    const inner = /(moov|trak|mdia|minf|stbl|mvex|dinf|moof|traf|edts)$/.test(name);
    if (inner) names.push(...boxTree(bytes, at + 8, at + sizeBytes, `${name}/`));
    at += sizeBytes;
  }
  expect(at).toBe(end);
  return names;
}

function layOut(frames: readonly EncodedFrame[], fps: number) {
  const table = new FrameTable();
  const parts: Buffer[] = [];
  const sorted = frames.map((frame) => frame.pts90k).sort((a, b) => a - b);
  frames.forEach((frame, index) => {
    for (const nal of frame.nals) {
      table.addNal(nal.length);
      parts.push(Buffer.from([0, 0, 0, 1]), nal);
    }
    const first = sorted[0] ?? 0;
    const dts = first + (index * 90_000) / fps;
    const delay = frames.length > 1 ? Math.max(0, 90_000 / fps) : 0;
    table.endFrame(frame.key, 90_000 / fps, frame.pts90k - dts + delay);
  });
  return { table, payload: Buffer.concat(parts) };
}

describe('the initialisation', () => {
  test('has the boxes of ISO/IEC 14496-12 with the right sizes', () => {
    const init = writeFmp4Init({ formats: [FORMAT], startAt90k: 900, duration90k: 90_000 });
    expect(boxTree(init).map((line) => line.replace(/^.*\//, ''))).toEqual([
      'ftyp 28',
      'moov 681',
      'mvhd 108',
      'trak 505',
      'tkhd 92',
      'edts 36',
      'elst 28',
      'mdia 369',
      'mdhd 32',
      'hdlr 41',
      'minf 288',
      'vmhd 20',
      'dinf 36',
      'dref 28',
      'stbl 224',
      'stsd 148',
      'stts 16',
      'stsc 16',
      'stsz 20',
      'stco 16',
      'mvex 60',
      'mehd 20',
      'trex 32',
    ]);
    const avcC = init.indexOf('avcC') + 4;
    expect(init.subarray(avcC, avcC + 8).toString('hex')).toBe('0142c00affe10016');
  });

  test('holds one sample entry per format', () => {
    const init = writeFmp4Init({ formats: [FORMAT, { ...FORMAT, width: 640 }] });
    expect(init.readUInt32BE(init.indexOf('stsd') + 8)).toBe(2);
    expect(init.toString('latin1').split('avc1')).toHaveLength(3);
  });

  test('refuses a format without parameter sets', () => {
    expect(() => writeFmp4Init({ formats: [{ ...FORMAT, parameterSets: [] }] })).toThrow(
      'expected parameter sets',
    );
  });
});

describe('a fragment', () => {
  function table(count: number): FrameTable {
    const frames = new FrameTable();
    for (let index = 0; index < count; index++) {
      frames.addNal(5 + index);
      frames.endFrame(index === 0, 3600, 0);
    }
    return frames;
  }

  test('is one golden buffer', () => {
    const head = writeFragmentHead({
      sequence: 7,
      baseDts90k: 2 ** 33 + 5,
      runs: [{ frames: table(2) }],
    });
    expect(head.toString('hex')).toBe(
      '000000746d6f6f66' +
        '000000106d6668640000000000000007' +
        '0000005c74726166' +
        '00000014746668640002000200000001' +
        '00000001' +
        '0000001474666474010000000000000200000005' +
        '0000002c7472756e01000701000000020000007c' +
        '00000e100000000902000000' +
        '00000e100000000a01010000' +
        '0000001b6d646174',
    );
  });

  test('spans several tables and part of one', () => {
    const runs = [
      { frames: table(3), first: 1 },
      { frames: table(2), end: 1 },
    ];
    const head = writeFragmentHead({ sequence: 1, baseDts90k: 0, runs, styp: true });
    expect(
      boxTree(head.subarray(0, head.length - 8)).map((line) => line.split('/').at(-1)),
    ).toEqual([
      'styp 24',
      'moof 148',
      'mfhd 16',
      'traf 124',
      'tfhd 20',
      'tfdt 20',
      'trun 44',
      'trun 32',
    ]);
    expect(head.readUInt32BE(head.length - 8)).toBe(8 + 10 + 11 + 9);
  });

  test('squeezes frames that nobody is to see', () => {
    expect(fragmentDuration90k({ frames: table(5), squeezedBefore: 3 })).toBe(3 + 2 * 3600);
  });

  test('gets lengths in place of start codes, and says where table and bytes disagree', () => {
    const frames = table(2);
    const payload = Buffer.alloc(19, 9);
    payload.writeUInt32BE(1, 0);
    payload.writeUInt32BE(1, 9);
    expect(patchNalLengths(payload, 0, { frames })).toBe(19);
    expect([payload.readUInt32BE(0), payload.readUInt32BE(9)]).toEqual([5, 6]);
    expect(() => patchNalLengths(payload, 0, { frames })).toThrow('expected a start code');
  });
});

(hasFfmpeg ? describe : describe.skip)('judged by ffmpeg', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-fmp4-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function judge(name: string, file: Buffer) {
    const path = join(directory, name);
    writeFileSync(path, file);
    const run = (command: string, ...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
      return { status, stdout, stderr };
    };
    const decoded = run('ffmpeg', '-v', 'error', '-xerror', '-i', path, '-f', 'null', '-');
    expect(decoded).toMatchObject({ status: 0, stderr: '' });
    const probe = run(
      'ffprobe',
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'stream=codec_name,width,nb_read_frames:format=duration,start_time',
      '-of',
      'json',
      path,
    );
    const facts = JSON.parse(probe.stdout) as {
      streams: { codec_name: string; width: number; nb_read_frames: string }[];
      format: { duration: string; start_time: string };
    };
    return {
      ...facts.streams[0],
      seconds: Number(facts.format.duration),
      start: Number(facts.format.start_time),
    };
  }

  test.each([
    ['h264', 0],
    ['h264', 1],
    ['h265', 0],
  ] as const)('%s with %i B-frames plays without a complaint', (codec, bFrames) => {
    const video = encodeVideo({ codec, bFrames });
    const { table, payload } = layOut(video.frames, video.fps);
    patchNalLengths(payload, 0, { frames: table });
    const file = Buffer.concat([
      writeFmp4Init({ formats: [video.format] }),
      writeFragmentHead({ sequence: 1, baseDts90k: 0, runs: [{ frames: table }] }),
      payload,
    ]);
    const facts = judge(`${codec}-${bFrames}.mp4`, file);
    expect(facts).toMatchObject({
      codec_name: codec === 'h264' ? 'h264' : 'hevc',
      width: 320,
      nb_read_frames: '100',
    });
    expect(facts.seconds).toBeCloseTo(4, 1);
  });

  test('a format that changes on the way plays on', () => {
    const small = encodeVideo({ seconds: 2 });
    const large = encodeVideo({ seconds: 2, width: 640, height: 360 });
    const parts = [writeFmp4Init({ formats: [small.format, large.format] })];
    [small, large].forEach((video, index) => {
      const { table, payload } = layOut(video.frames, video.fps);
      patchNalLengths(payload, 0, { frames: table });
      parts.push(
        writeFragmentHead({
          sequence: index + 1,
          baseDts90k: index * 180_000,
          sampleEntry: index + 1,
          runs: [{ frames: table }],
        }),
        payload,
      );
    });
    const facts = judge('change.mp4', Buffer.concat(parts));
    expect(facts.nb_read_frames).toBe('100');
    expect(facts.seconds).toBeCloseTo(4, 1);
  });
});
