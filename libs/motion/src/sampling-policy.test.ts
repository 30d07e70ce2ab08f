import { SamplingPolicy, type Wish } from './sampling-policy.js';

interface Stream {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly groupS: number;
}

interface Frame {
  readonly atS: number;
  readonly key: boolean;
  readonly wish: Wish;
}

/** Everything after the first two groups, when the policy knows the stream. */
function wishes(stream: Stream, o: { seconds: number; thrifty?: boolean }): Frame[] {
  const policy = new SamplingPolicy();
  policy.setFormat({ ...stream, nominalFps: stream.fps, reorderFrames: 0 });
  policy.setThrifty(o.thrifty ?? false);
  const groupFrames = Math.round(stream.fps * stream.groupS);
  const frames: Frame[] = [];
  for (let frame = 0; frame < (o.seconds + 2 * stream.groupS) * stream.fps; frame++) {
    const key = frame % groupFrames === 0;
    const atUnixUs = 1.75e15 + Math.round((frame * 1e6) / stream.fps);
    const wish = policy.wish(key, atUnixUs);
    if (wish !== 'skip') policy.endsHere(atUnixUs);
    frames.push({ atS: frame / stream.fps, key, wish });
  }
  return frames.slice(2 * groupFrames);
}

/** A frame may be decoded only when every one before it in its group was. */
function expectDecodable(frames: readonly Frame[]): void {
  let open = false;
  for (const { key, wish } of frames) {
    if (key) open = wish !== 'skip';
    else if (wish === 'skip') open = false;
    else expect(open).toBe(true);
  }
}

const longestBlindS = (frames: readonly Frame[]) => {
  const looks = frames.filter(({ wish }) => wish === 'look').map(({ atS }) => atS);
  return Math.max(...looks.slice(1).map((atS, index) => atS - (looks[index] ?? 0)));
};
const taken = (frames: readonly Frame[]) =>
  frames.filter(({ wish }) => wish !== 'skip').length / frames.length;

describe('SamplingPolicy', () => {
  test('takes all of a small, slow stream', () => {
    const frames = wishes({ width: 640, height: 360, fps: 12, groupS: 4 }, { seconds: 12 });
    expect(taken(frames)).toBe(1);
    expect(longestBlindS(frames)).toBeLessThan(0.3);
  });

  test('takes the beginnings of ordinary groups', () => {
    for (const width of [640, 1920]) {
      const frames = wishes({ width, height: 480, fps: 25, groupS: 2 }, { seconds: 12 });
      expectDecodable(frames);
      expect(taken(frames)).toBeLessThan(0.15);
      expect(longestBlindS(frames)).toBeLessThanOrEqual(2);
    }
  });

  test('takes key frames only when they come every second, and not all when they come oftener', () => {
    const everySecond = wishes({ width: 1920, height: 1080, fps: 20, groupS: 1 }, { seconds: 10 });
    expect(taken(everySecond)).toBeCloseTo(1 / 20, 3);
    const onlyKeys = wishes({ width: 1920, height: 1080, fps: 20, groupS: 0.05 }, { seconds: 10 });
    expect(taken(onlyKeys)).toBeLessThan(0.12);
    expect(longestBlindS(onlyKeys)).toBeLessThan(0.6);
  });

  test.each([3, 4, 10, 30])('is never blind for two seconds in groups of %d s', (groupS) => {
    for (const thrifty of [false, true]) {
      const frames = wishes(
        { width: 1920, height: 1080, fps: 25, groupS },
        { seconds: 60, thrifty },
      );
      expectDecodable(frames);
      expect(longestBlindS(frames)).toBeLessThan(2);
      expect(taken(frames)).toBeLessThan(1 - 1 / groupS);
    }
  });

  test('takes no more than key frames of ordinary groups when it must be thrifty', () => {
    const stream = { width: 640, height: 360, fps: 12, groupS: 2 };
    const frames = wishes(stream, { seconds: 12, thrifty: true });
    expect(taken(frames)).toBeCloseTo(1 / 24, 3);
  });

  test('takes all until it knows how long groups are', () => {
    const policy = new SamplingPolicy();
    policy.setFormat({ width: 1920, height: 1080, reorderFrames: 0 });
    const wished = Array.from({ length: 500 }, (_, frame) =>
      policy.wish(frame === 0, frame * 40_000),
    );
    expect(wished).not.toContain('skip');
  });

  test('skips to the next key frame after a frame was lost', () => {
    const policy = new SamplingPolicy();
    policy.setFormat({ width: 320, height: 180, nominalFps: 10, reorderFrames: 0 });
    expect(policy.wish(true, 0)).toBe('look');
    expect(policy.wish(false, 100_000)).toBe('decode');
    policy.leaveGroup();
    expect(policy.wish(false, 200_000)).toBe('skip');
    expect(policy.wish(false, 300_000)).toBe('skip');
    expect(policy.wish(true, 400_000)).toBe('look');
  });

  test('goes on when the clock went back', () => {
    const policy = new SamplingPolicy();
    policy.setFormat({ width: 1920, height: 1080, nominalFps: 25, reorderFrames: 0 });
    policy.wish(true, 1.75e15);
    policy.wish(true, 1.75e15 + 2e6);
    expect(policy.wish(true, 1.75e15 - 3600e6)).toBe('look');
    expect(policy.wish(true, 1.75e15 - 3598e6)).toBe('look');
  });
});
