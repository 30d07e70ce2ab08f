// Real footage beside the repository, where there is some: labelled ground truth, and a busy street.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BitStreamFilter, BitStreamFilterContext, FormatContext, Packet } from 'node-av/lib';
import { silentLog, systemClock } from '#base';
import { eventually } from '#base/testing';
import type { MotionSample } from './channel-types.js';
import { MotionService } from './motion-service.js';

const FOOTAGE = fileURLToPath(new URL('../../../../shared/footage/', import.meta.url));
const START_UNIX_US = 1_767_225_600_000_000;
const POST_ROLL_S = 10;
/** What the policy does with the footage as it is, and with a stream that is small and slow. */
type Sampling = 'beginnings of groups' | 'every frame';

interface Interval {
  readonly from: number;
  readonly to: number;
}

interface Unit {
  readonly data: Buffer;
  readonly key: boolean;
  readonly timeS: number;
}

/** The video of an MP4 as Annex-B access units. */
function readUnits(path: string): Unit[] {
  const format = new FormatContext();
  format.allocContext();
  if (format.openInputSync(path) < 0) throw new Error(`cannot open ${path}`);
  format.findStreamInfoSync();
  const stream = format.streams.find(({ codecpar }) => codecpar.width > 0);
  const filter = BitStreamFilter.getByName('h264_mp4toannexb');
  if (stream === undefined || filter === null) throw new Error(`no video in ${path}`);
  const annexB = new BitStreamFilterContext();
  annexB.alloc(filter);
  const parameters = annexB.inputCodecParameters;
  if (parameters !== null) stream.codecpar.copy(parameters);
  annexB.inputTimeBase = stream.timeBase;
  annexB.init();
  const packet = new Packet();
  packet.alloc();
  const units: Unit[] = [];
  while (format.readFrameSync(packet) >= 0) {
    if (packet.streamIndex === stream.index) {
      annexB.sendPacketSync(packet);
      while (annexB.receivePacketSync(packet) >= 0) {
        const timeS = (Number(packet.pts) * stream.timeBase.num) / stream.timeBase.den;
        units.push({ data: Buffer.from(packet.data ?? []), key: packet.isKeyframe, timeS });
        packet.unref();
      }
    }
    packet.unref();
  }
  packet.free();
  annexB.free();
  format.closeInputSync();
  return units;
}

/** The picture's size only decides about sampling here; the decoder finds the true one itself. */
async function look(units: readonly Unit[], sampling: Sampling): Promise<MotionSample[]> {
  const service = await MotionService.start({ processes: 1, log: silentLog(), clock: systemClock });
  try {
    const samples: MotionSample[] = [];
    const channel = service.open({
      sensitivity: 0.5,
      onSample: (sample) => samples.push(sample),
      onState: () => undefined,
    });
    // Its process is started for the channel.
    await eventually('the detector is up', () => service.status()[0]?.pid !== undefined, 60_000);
    const [width, height] = sampling === 'every frame' ? [640, 480] : [768, 576];
    const codec = 'h264';
    channel.setFormat({
      codec,
      width,
      height,
      parameterSets: [],
      codecString: 'avc1.64001f',
      reorderFrames: 0,
      nominalFps: 10,
    });
    for (const { data, key, timeS } of units) {
      channel.offer(data, key, START_UNIX_US + Math.round(timeS * 1e6));
      await nextTurn();
      const { asked } = channel.counters;
      if (samples.length < asked) {
        await eventually('the picture was looked at', () => samples.length >= asked, 60_000);
      }
    }
    expect(channel.counters).toMatchObject({ refused: 0, undecodable: 0 });
    return samples;
  } finally {
    await service.close();
  }
}

const timeOf = (sample: MotionSample) => (sample.atUnixUs - START_UNIX_US) / 1e6;

const labelledPath = `${FOOTAGE}gate-labelled.mp4`;
const labels = `${FOOTAGE}gate-labelled.json`;
const whereLabelled = existsSync(labelledPath) && existsSync(labels) ? test : test.skip;

whereLabelled.each<Sampling>(['beginnings of groups', 'every frame'])(
  'labelled footage, %s: every movement is found, and nothing else',
  async (sampling) => {
    const { motion } = JSON.parse(readFileSync(labels, 'utf8')) as { motion: Interval[] };
    const samples = await look(readUnits(labelledPath), sampling);
    const moving = samples.filter((sample) => sample.moving).map(timeOf);
    const near = ({ from, to }: Interval, timeS: number) => timeS >= from - 1 && timeS <= to + 1;
    expect(moving.filter((timeS) => !motion.some((interval) => near(interval, timeS)))).toEqual([]);
    for (const interval of motion) {
      const during = moving.filter((timeS) => near(interval, timeS));
      expect(during[0]).toBeLessThanOrEqual(interval.from + 2.5);
      // With the post-roll, what is kept reaches over the whole interval without a hole.
      const ends = [...during, interval.to];
      ends.forEach((timeS, index) => {
        if (index > 0) expect(timeS - (ends[index - 1] ?? 0)).toBeLessThan(POST_ROLL_S / 2);
      });
    }
  },
  300_000,
);

const streetPath = `${FOOTAGE}street.mp4`;
const whereStreet = existsSync(streetPath) ? test : test.skip;

whereStreet(
  'a street with people nearly all the time moves nearly all the time',
  async () => {
    const samples = await look(readUnits(streetPath), 'beginnings of groups');
    const moving = samples.filter((sample) => sample.moving).map(timeOf);
    expect(moving.length / samples.length).toBeGreaterThan(0.9);
    expect(moving[0]).toBeLessThan(2.5);
  },
  300_000,
);
