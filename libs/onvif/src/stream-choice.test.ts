// Which profiles are taken, and which host their streams are asked at.

import type { OnvifProfile } from './index.js';
import { streamAddress } from './stream-address.js';
import { chooseStreams } from './stream-choice.js';

function profile(
  token: string,
  width: number,
  height: number,
  more: Partial<OnvifProfile> = {},
): OnvifProfile {
  return {
    token,
    name: token,
    codec: 'H264',
    width,
    height,
    fps: 15,
    streamUrl: `rtsp://c/${token}`,
    ...more,
  };
}

function chosen(...profiles: OnvifProfile[]): (string | undefined)[] {
  const choice = chooseStreams(profiles);
  return [choice?.main.token, choice?.sub?.token];
}

test('main is the largest that can be recorded, sub the one nearest to 640x360', () => {
  expect(
    chosen(
      profile('tiny', 160, 120),
      profile('stills', 4000, 3000, { codec: 'JPEG' }),
      profile('sub', 704, 480),
      profile('middle', 1280, 720),
      profile('main', 2560, 1440, { codec: 'H265' }),
    ),
  ).toEqual(['main', 'sub']);
});

test('a sub stream that is too slow, of another lens, or the same stream is none', () => {
  const main = profile('main', 1920, 1080, { source: 'left' });
  expect(chosen(main, profile('slow', 640, 360, { source: 'left', fps: 2 }))).toEqual([
    'main',
    undefined,
  ]);
  expect(chosen(main, profile('other', 640, 360, { source: 'right' }))).toEqual([
    'main',
    undefined,
  ]);
  const same = profile('same', 640, 360, { source: 'left', streamUrl: main.streamUrl });
  expect(chosen(main, same)).toEqual(['main', undefined]);
});

test('only stills are nothing to record; a profile that says nothing is better than none', () => {
  expect(chosen(profile('stills', 640, 480, { codec: 'JPEG' }))).toEqual([undefined, undefined]);
  expect(chosen({ token: 'a', name: 'a', streamUrl: 'rtsp://c/a' })).toEqual(['a', undefined]);
});

test.each([
  ['rtsp://10.0.0.5:554/live', 'rtsp://cam.example:554/live', '10.0.0.5'],
  ['rtsp://0.0.0.0/live', 'rtsp://cam.example/live', '0.0.0.0'],
  ['rtsp://user:p%40ss@cam.example/live', 'rtsp://cam.example/live', undefined],
  ['rtsp://CAM.example:8554/a?b=c', 'rtsp://cam.example:8554/a?b=c', undefined],
  ['rtsp://[fe80::1]:554/x', 'rtsp://cam.example:554/x', '[fe80::1]'],
  ['rtsp://:554/x', 'rtsp://cam.example:554/x', ''],
  // Dahua and its like escape the address once more than XML does.
  [
    'rtsp://cam.example:554/cam/realmonitor?channel=1&amp;subtype=0&amp;unicast=true',
    'rtsp://cam.example:554/cam/realmonitor?channel=1&subtype=0&unicast=true',
    undefined,
  ],
])('%s is asked at the host that answered', (told, streamUrl, namedHost) => {
  expect(streamAddress(told, 'cam.example')).toEqual({
    streamUrl,
    ...(namedHost === undefined ? {} : { namedHost }),
  });
});

test('what is no RTSP address is none', () => {
  for (const told of [
    '',
    'http://cam/x',
    'rtsp://',
    'rtsp://a b',
    `rtsp://h/${'x'.repeat(3000)}`,
  ]) {
    expect(streamAddress(told, 'cam.example')?.streamUrl ?? 'none').toMatch(
      /^(none|rtsp:\/\/cam\.example)$/,
    );
  }
});
