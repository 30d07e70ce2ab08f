// Hardware: what is tried, what is said when it does not work, and who takes over.

import { silentLog } from '#base';
import { AV_PIX_FMT_CUDA } from 'node-av/constants';
import { HardwareDeviceContext } from 'node-av/lib';
import { HARDWARE_PATHS, X264_PATH, type EncodePath } from './encode-path.js';
import { makeFootage } from './footage.test-support.js';
import { readInit, readSamples } from './fmp4-reader.js';
import { probeHardware } from './hardware-trial.js';
import { detectHardware, type HardwareReport } from './hardware.js';
import { Transcoder } from './transcoder.js';

/** An encoder that works everywhere, in the place of a GPU's. */
const WORKING: EncodePath = { ...X264_PATH, name: 'nvenc' };
/** Opens nowhere: this encoder takes no pictures of a device. */
const BROKEN: EncodePath = { ...WORKING, pixelFormat: AV_PIX_FMT_CUDA };

function reportOf(path: EncodePath): HardwareReport {
  return { hardware: { path, device: new HardwareDeviceContext(), decodes: false }, attempts: [] };
}

test('detection always answers, and says why when nothing works', async () => {
  const report = await detectHardware({ log: silentLog() });
  expect(report.attempts.length).toBeGreaterThan(0);
  if (report.hardware === undefined) {
    for (const attempt of report.attempts) {
      expect(attempt.works).toBe(false);
      expect(attempt.reason).toBeTruthy();
    }
  }
  report.hardware?.device.free();
});

test('a path is believed when its pictures decode, and later ones are not tried', async () => {
  const attempts = await probeHardware([BROKEN, WORKING, ...HARDWARE_PATHS]);
  expect(attempts).toMatchObject([
    { name: 'nvenc', works: false, reason: expect.stringContaining('libx264') as string },
    { name: 'nvenc', works: true, decodes: false },
  ]);
});

test('a GPU that fails is replaced by the CPU for that request, and it shows', async () => {
  const transcoder = new Transcoder({ log: silentLog(), hardware: reportOf(BROKEN) });
  const footage = await makeFootage({ seconds: 1, fps: 10 });
  const parts: Buffer[] = [];
  const result = await transcoder.slice({
    init: footage.init,
    fragment: footage.fragments[0]!,
    height: 180,
    onPart: (part) => parts.push(part),
  });
  expect(result).toMatchObject({ pictures: 10, encoder: 'x264' });
  expect(result.fellBack).toContain('libx264');
  expect(transcoder.status).toMatchObject({ encoder: 'nvenc', hardwareFailures: 1 });
  await transcoder.close();
});

test('the initialisation serves slices of the GPU and of the CPU that replaces it', async () => {
  const footage = await makeFootage({ seconds: 1, fps: 10 });
  const transcoder = new Transcoder({ log: silentLog(), hardware: reportOf(WORKING) });
  const track = readInit(await transcoder.init(footage.init, 180));
  expect(track.formats).toHaveLength(2);
  const parts: Buffer[] = [];
  const result = await transcoder.slice({
    init: footage.init,
    fragment: footage.fragments[0]!,
    height: 180,
    onPart: (part) => parts.push(part),
  });
  expect(result).toMatchObject({ pictures: 10, encoder: 'nvenc' });
  expect(readSamples(Buffer.concat(parts), track)[0]).toMatchObject({ format: 0, key: true });
  expect(transcoder.fingerprint).toContain('nvenc');
  await transcoder.close();
});
