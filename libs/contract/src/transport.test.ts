// How a camera's packets may come is one list, from the form over the door to the recorder.

import {
  cameraInputSchema,
  cameraPatchSchema,
  probeInputSchema,
  recorderCameraSchema,
} from './index.js';

const url = 'rtsp://192.168.1.20:554/stream';
const recorderCamera = {
  id: '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11',
  name: 'Gate',
  streams: { main: url },
  recording: { mode: 'continuous', preRollSeconds: 5, postRollSeconds: 10 },
  retention: { days: 30 },
  motion: { sensitivity: 0.5 },
};

test.each(['tcp', 'udp', 'http'])('%s is taken at every place', (transport) => {
  const input = { name: 'Gate', streams: { main: url }, transport };
  expect(cameraInputSchema.parse(input).transport).toBe(transport);
  expect(cameraPatchSchema.parse({ transport }).transport).toBe(transport);
  expect(probeInputSchema.parse({ url, transport }).transport).toBe(transport);
  expect(recorderCameraSchema.parse({ ...recorderCamera, transport }).transport).toBe(transport);
});

test('TCP is what is meant where nothing is said; others are refused by name', () => {
  expect(cameraInputSchema.parse({ name: 'Gate', streams: { main: url } }).transport).toBe('tcp');
  const answer = cameraPatchSchema.safeParse({ transport: 'carrier-pigeon' });
  expect(answer.success).toBe(false);
  expect(answer.error?.issues[0]?.message).toMatch(/"tcp"\|"udp"\|"http"/);
});
