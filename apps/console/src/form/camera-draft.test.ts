import { cameraInputSchema, cameraPatchSchema } from '#contract';
import { addBody, changeBody, EMPTY_DRAFT, type CameraDraft } from './camera-draft.js';

const draft: CameraDraft = { ...EMPTY_DRAFT, name: ' Gate ', mainUrl: 'rtsp://10.0.0.5/main' };

test('a new camera is what the contract accepts', () => {
  const body = addBody({
    ...draft,
    username: 'admin',
    password: 'x y',
    subUrl: 'rtsp://10.0.0.5/sub',
    onvifUrl: 'http://10.0.0.5/onvif/device_service',
    maxGigabytes: 50,
    zones: [
      [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    ],
  });
  const parsed = cameraInputSchema.parse(body);
  expect(parsed.name).toBe('Gate');
  expect(parsed.streams.main).toBe('rtsp://admin:x%20y@10.0.0.5/main');
  expect(parsed.streams.sub).toBe('rtsp://admin:x%20y@10.0.0.5/sub');
  expect(parsed.onvif?.password).toBe('x y');
  expect(parsed.retention.maxBytes).toBe(50e9);
});

test('an unchanged camera sends nothing, and untouched addresses never go back', () => {
  expect(changeBody(draft, draft)).toEqual({});
  expect(changeBody(draft, { ...draft, days: 7 })).toEqual({ retention: { days: 7 } });
});

test('what is taken away is sent as null', () => {
  const before = {
    ...draft,
    subUrl: 'rtsp://10.0.0.5/sub',
    minDays: 3,
    maxGigabytes: 5,
    masks: [
      [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    ] as CameraDraft['masks'],
    schedule: [{ fromMinute: 0, toMinute: 60, mode: 'off' as const }],
    location: { latitude: 1, longitude: 2 },
    onvifUrl: 'http://10.0.0.5/',
  };
  const body = changeBody(before, draft);
  expect(body).toEqual({
    streams: { sub: null },
    onvif: null,
    recording: { schedule: null },
    retention: { minDays: null, maxBytes: null },
    motion: { masks: null },
    location: null,
  });
  expect(cameraPatchSchema.safeParse(body).success).toBe(true);
});

test('new credentials go into every address', () => {
  const before = { ...draft, subUrl: 'rtsp://10.0.0.5/sub', onvifUrl: 'http://10.0.0.5/' };
  expect(changeBody(before, { ...before, username: 'a', password: 'b' })).toEqual({
    streams: { main: 'rtsp://a:b@10.0.0.5/main', sub: 'rtsp://a:b@10.0.0.5/sub' },
    onvif: { url: 'http://10.0.0.5/', username: 'a', password: 'b' },
  });
});
