// What a probe measured, item by item, graded, with a plain sentence where something can be better.

import type { StreamProbe } from '#rtsp';

export type ItemGrade = 'good' | 'fair' | 'poor';

export interface GradedItem {
  readonly item:
    | 'codec'
    | 'size'
    | 'frame-rate'
    | 'group-length'
    | 'smart-codec'
    | 'bitrate'
    | 'audio'
    | 'clock'
    | 'frame-order'
    | 'loss';
  readonly grade: ItemGrade;
  /** In words. */
  readonly found: string;
  readonly advice?: string;
}

export interface DeclaredSettings {
  /** Pictures from one key frame to the next, as the camera says that its encoder is set. */
  readonly groupFrames?: number | undefined;
  readonly fps?: number | undefined;
}

const GOOD_GROUP_SECONDS = 4;
const FAIR_GROUP_SECONDS = 10;
const SHORT_GROUP_SECONDS = 0.5;
/** Groups of a camera with one setting differ by a frame or two, not by this. */
const UNEVEN = 1.5;
const EMPTY_SHARE = 0.5;

/** In the order in which people want to know. */
export function gradeStream(found: StreamProbe, declared: DeclaredSettings = {}): GradedItem[] {
  return [
    codecItem(found),
    sizeItem(found),
    frameRateItem(found, declared),
    groupItem(found),
    smartCodecItem(found, declared),
    bitrateItem(found),
    audioItem(found),
    ...clockItem(found.clockOffsetMs),
    orderItem(found),
    ...lossItem(found),
  ];
}

/** Nothing where the camera told no time. */
export function clockItem(offsetMs: number | undefined): GradedItem[] {
  if (offsetMs === undefined) return [];
  const seconds = Math.abs(offsetMs) / 1000;
  const way = offsetMs > 0 ? 'ahead' : 'behind';
  const words = seconds < 1 ? `${Math.round(offsetMs)} ms off` : `${spanOf(seconds)} ${way}`;
  if (seconds <= 2) return [{ item: 'clock', grade: 'good', found: words }];
  return [
    {
      item: 'clock',
      grade: seconds <= 60 ? 'fair' : 'poor',
      found: words,
      advice:
        `the camera’s clock is ${words}: recordings carry our own time, but the time in its picture ` +
        'is wrong; give it a time server (NTP)',
    },
  ];
}

function codecItem({ format }: StreamProbe): GradedItem {
  const found = `${format.codec === 'h264' ? 'H.264' : 'H.265'} (${format.codecString})`;
  if (format.codec === 'h264') return { item: 'codec', grade: 'good', found };
  const advice =
    'H.265 is recorded as it is; browsers without it are shown a converted picture, which costs ' +
    'computing time';
  return { item: 'codec', grade: 'good', found, advice };
}

function sizeItem({ format: { width, height } }: StreamProbe): GradedItem {
  const found = `${width}×${height}`;
  if (width * height >= 640 * 360) return { item: 'size', grade: 'good', found };
  const advice = `pictures of ${found} show that somebody was there, not who`;
  return { item: 'size', grade: 'fair', found, advice };
}

function frameRateItem({ fps, format }: StreamProbe, declared: DeclaredSettings): GradedItem {
  const said = declared.fps ?? format.nominalFps;
  const found =
    said === undefined
      ? `${round(fps)} a second`
      : `${round(fps)} a second, ${round(said)} declared`;
  const item = 'frame-rate';
  if (fps > 0 && fps < 5) {
    const advice = `only ${round(fps)} pictures a second come: movement is seen late; set at least 10`;
    return { item, grade: 'poor', found, advice };
  }
  if (said !== undefined && fps < said * 0.75) {
    const advice =
      `the camera declares ${round(said)} pictures a second and sends ${round(fps)}: a long exposure ` +
      'in the dark, an overloaded camera or a lossy network';
    return { item, grade: 'fair', found, advice };
  }
  if (fps < 8) {
    const advice = `${round(fps)} pictures a second make quick movement jump; 10 to 15 are better`;
    return { item, grade: 'fair', found, advice };
  }
  return { item, grade: 'good', found };
}

function groupItem(probe: StreamProbe): GradedItem {
  const { keyFrames, groups, durationMs, gradualRefresh } = probe;
  const item = 'group-length';
  const watched = `${Math.max(1, Math.round(durationMs / 1000))} s`;
  if (gradualRefresh) {
    const advice =
      'the camera refreshes its picture bit by bit and sends no key frames, so there is no place to ' +
      'begin playing at; switch intra refresh off';
    return { item, grade: 'poor', found: 'gradual refresh, no key frame', advice };
  }
  if (keyFrames === 0) {
    const advice = `no key frame came within ${watched}: set the I-frame interval to 2 s`;
    return { item, grade: 'poor', found: `no key frame within ${watched}`, advice };
  }
  if (groups === undefined) {
    const advice = `groups are longer than ${watched}: seeking will be very coarse; set the I-frame interval to 2 s`;
    return { item, grade: 'poor', found: `longer than ${watched}`, advice };
  }
  const { minSeconds, maxSeconds } = groups;
  const even = maxSeconds - minSeconds < 0.2;
  const found = even
    ? `${round(maxSeconds)} s`
    : `${round(minSeconds)} to ${round(maxSeconds)} s, mostly ${round(groups.medianSeconds)} s`;
  if (maxSeconds > GOOD_GROUP_SECONDS) {
    const advice =
      `groups are ${even ? '' : 'up to '}${round(maxSeconds)} s long: seeking will be coarse; set the ` +
      'I-frame interval to 2 s';
    return { item, grade: maxSeconds > FAIR_GROUP_SECONDS ? 'poor' : 'fair', found, advice };
  }
  if (maxSeconds < SHORT_GROUP_SECONDS) {
    const advice = `a key frame comes every ${round(maxSeconds)} s, which costs disk; 1 to 2 s are enough`;
    return { item, grade: 'fair', found, advice };
  }
  return { item, grade: 'good', found };
}

function smartCodecItem(probe: StreamProbe, declared: DeclaredSettings): GradedItem {
  const { groups, emptyFrameShare, fps } = probe;
  const item = 'smart-codec';
  const advice = (evidence: string): string =>
    `${evidence}: a smart codec (H.264+, H.265+, Smart GOP, Zipstream) seems to be on; it saves ` +
    'bitrate by leaving out key frames, so that seeking is coarse and movement begins blurred; switch it off';
  if (groups !== undefined) {
    const { minSeconds, maxSeconds } = groups;
    if (maxSeconds / minSeconds > UNEVEN && maxSeconds > 2) {
      const evidence = `group lengths vary from ${round(minSeconds)} to ${round(maxSeconds)} s`;
      return { item, grade: 'fair', found: 'likely: uneven groups', advice: advice(evidence) };
    }
    const said = (declared.groupFrames ?? 0) / (declared.fps ?? fps);
    if (said > 0 && groups.medianSeconds / said > UNEVEN && maxSeconds > 2) {
      const evidence = `the camera declares groups of ${round(said)} s and sends ${round(groups.medianSeconds)} s`;
      return {
        item,
        grade: 'fair',
        found: 'likely: longer groups than set',
        advice: advice(evidence),
      };
    }
  }
  const long = groups === undefined || groups.maxSeconds > GOOD_GROUP_SECONDS;
  if (long && probe.keyFrames > 0 && emptyFrameShare >= EMPTY_SHARE) {
    const percent = Math.round(emptyFrameShare * 100);
    const evidence = `groups are long and ${percent} % of the frames say next to nothing`;
    return {
      item,
      grade: 'fair',
      found: 'likely: long groups of empty frames',
      advice: advice(evidence),
    };
  }
  return { item, grade: 'good', found: 'none seen' };
}

function bitrateItem({ bitrate, peakBitrate }: StreamProbe): GradedItem {
  const item = 'bitrate';
  const found = `${megabits(bitrate)} Mbit/s, at most ${megabits(peakBitrate)}`;
  if (bitrate > 16_000_000) {
    const advice = `${megabits(bitrate)} Mbit/s is much: half of it usually looks the same`;
    return { item, grade: bitrate > 40_000_000 ? 'poor' : 'fair', found, advice };
  }
  if (peakBitrate > 40_000_000) {
    const advice = `up to ${megabits(peakBitrate)} Mbit/s come in one second: set a constant or capped bitrate`;
    return { item, grade: 'fair', found, advice };
  }
  return { item, grade: 'good', found };
}

function audioItem({ audio, audioRate, audioFault }: StreamProbe): GradedItem {
  if (audio === undefined) return { item: 'audio', grade: 'good', found: 'none' };
  const found = audioRate === undefined ? audio : `${audio}, ${audioRate / 1000} kHz`;
  if (audioFault === undefined) return { item: 'audio', grade: 'good', found };
  const advice = `the sound is not recorded: ${audioFault}`;
  return { item: 'audio', grade: 'fair', found, advice };
}

function orderItem({ hasBFrames }: StreamProbe): GradedItem {
  if (!hasBFrames) return { item: 'frame-order', grade: 'good', found: 'no B-frames' };
  const advice = 'B-frames delay the live picture; switch them off where live matters';
  return { item: 'frame-order', grade: 'fair', found: 'B-frames', advice };
}

function lossItem({ lostPackets, dropped, frames }: StreamProbe): GradedItem[] {
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  if (lostPackets === 0 && lost === 0) return [];
  return [
    {
      item: 'loss',
      grade: lost > frames / 50 ? 'poor' : 'fair',
      found: `${lostPackets} packets, ${lost} frames`,
      advice: `${lostPackets} packets were lost on the way: look at the network, or use TCP`,
    },
  ];
}

function round(value: number): string {
  return Number(value.toFixed(value < 10 ? 1 : 0)).toString();
}

function megabits(bits: number): string {
  return (bits / 1e6).toFixed(bits < 10e6 ? 1 : 0);
}

function spanOf(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} hours`;
  if (seconds < 730 * 86_400) return `${Math.round(seconds / 86_400)} days`;
  return `${Math.round(seconds / 31_557_600)} years`;
}
