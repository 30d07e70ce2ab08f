// Sound in a real Chromium: a camera of somebody else's making is recorded, and its past is heard.

import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually } from '#base/testing';
import type { Camera, CameraStatus } from '#contract';
import { startGstCamera, type GstCamera } from '../fixtures/gst-camera.js';
import { ADMIN_PASSWORD, Installation } from './installation.js';
import { HAS_CHROMIUM, HAS_GSTREAMER } from './peers.js';

/** What the page's player has decoded. */
const HEARD = `(() => {
  const video = document.querySelector('[data-testid=player-video]');
  return { bytes: video.webkitAudioDecodedByteCount, muted: video.muted, at: video.currentTime };
})()`;

interface Heard {
  readonly bytes: number;
  readonly muted: boolean;
  readonly at: number;
}

const CHANNELS = { aac: 2, opus: 2, pcma: 1 } as const;
const KINDS = ['aac', 'opus', 'pcma'] as const;
const withPeers = HAS_CHROMIUM && HAS_GSTREAMER ? describe : describe.skip;

withPeers('a camera with sound', () => {
  const sources: GstCamera[] = [];
  const cameras = new Map<string, Camera>();
  let installation: Installation;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    installation = await Installation.start();
    // Side by side: each has to record for half a minute.
    for (const kind of KINDS) {
      const picture = ['--size', '320x180', '--fps', '10', '--shared'];
      const source = await startGstCamera(...picture, '--audio', kind);
      sources.push(source);
      const recording = { mode: 'continuous' };
      cameras.set(kind, await installation.addCamera(`Gate ${kind}`, source.url, { recording }));
    }
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'],
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(20_000);
    await page.goto(installation.url);
    await page.getByTestId('login-username').fill('admin');
    await page.getByTestId('login-password').fill(ADMIN_PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('login-submit').waitFor({ state: 'detached' });
  });

  afterAll(async () => {
    await browser?.close();
    await installation?.close();
    for (const source of sources) await source.close();
  });

  test.each(KINDS)('in %s is heard in its past, once somebody wants to', async (kind) => {
    const camera = cameras.get(kind)!;
    await eventually(
      'half a minute of sound',
      async () => {
        const now = Date.now();
        const { recordings } = await installation.timeline(camera.id, now - 120_000, now);
        return recordings.some(
          ({ track, from, to }) => track === 'audio' && Date.parse(to) - Date.parse(from) > 25_000,
        );
      },
      90_000,
    );
    const status = await installation.json<CameraStatus>('GET', `/api/cameras/${camera.id}/status`);
    expect(status.tracks.find(({ track }) => track === 'audio')).toMatchObject({
      codec: kind,
      channels: CHANNELS[kind],
    });
    await page.goto(`${installation.url}/cameras/${camera.id}`);
    const canvas = page.getByTestId('timeline-canvas');
    await canvas.waitFor();
    const box = (await canvas.boundingBox())!;
    const from = Number(await canvas.getAttribute('data-from'));
    const to = Number(await canvas.getAttribute('data-to'));
    const x = box.x + (box.width * (Date.now() - 20_000 - from)) / (to - from);
    await page.mouse.click(x, box.y + box.height / 2);
    const heard = () => page.evaluate<Heard>(HEARD);
    await eventually('sound is decoded', async () => (await heard()).bytes > 1000, 30_000);
    expect((await heard()).muted).toBe(true);
    await page.getByTestId('sound-toggle').click();
    expect((await heard()).muted).toBe(false);
    // It plays on over slices: no hole in the sound stops the picture.
    const { at } = await heard();
    await eventually('six more seconds', async () => (await heard()).at > at + 6, 30_000);
  });
});
