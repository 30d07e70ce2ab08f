// A phone that can only push: added in the console, publishing by ffmpeg to the address that it shows,
// online, played back, and locked out when its key is renewed.

import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually } from '#base/testing';
import type { Camera } from '#contract';
import { ADMIN_PASSWORD, freePort, Installation } from './installation.js';
import { countFrames, decodeErrors, HAS_CHROMIUM, HAS_FFMPEG } from './peers.js';

const story = HAS_CHROMIUM && HAS_FFMPEG ? describe : describe.skip;
const FPS = 15;

story('a camera that pushes', () => {
  let installation: Installation;
  let browser: Browser;
  let page: Page;
  let camera: Camera;
  let rtmpPort: number;
  let address = '';
  const publishers: ChildProcess[] = [];

  /** A moving picture and a tone, in real time and without end. */
  function publish(url: string): ChildProcess {
    const picture = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${FPS}`];
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15', '-pix_fmt', 'yuv420p'];
    const sound = ['-f', 'lavfi', '-i', 'sine', '-c:a', 'aac'];
    const child = spawn(
      'ffmpeg',
      [
        '-v',
        'error',
        ...picture,
        ...sound.slice(0, 4),
        ...video,
        ...sound.slice(4),
        '-f',
        'flv',
        url,
      ],
      { stdio: 'ignore' },
    );
    publishers.push(child);
    return child;
  }

  beforeAll(async () => {
    rtmpPort = await freePort();
    installation = await Installation.start({
      environment: { NIGHTJAR_RTMP_PORT: String(rtmpPort) },
    });
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
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
    for (const child of publishers) child.kill('SIGKILL');
    await browser?.close();
    await installation?.close();
  });

  test('is added in the console, which shows its address once', async () => {
    await page.goto(`${installation.url}/cameras`);
    await page.getByTestId('camera-add').click();
    await page.getByTestId('camera-name').fill('Phone');
    await page.getByText('The camera pushes to Nightjar (RTMP)').click();
    await look('add');
    await page.getByTestId('camera-save').click();
    address = await page.getByTestId('publish-main').inputValue();
    expect(address).toMatch(new RegExp(`^rtmp://127\\.0\\.0\\.1:${rtmpPort}/live/[\\w-]{24}$`));
    await page.getByTestId('publish-main-copy').click();
    await page.getByTestId('publish-main-copy').getByText('Copied').waitFor();
    await look('address');
    await page.getByTestId('publish-done').click();
    const { items } = await installation.json<{ items: Camera[] }>('GET', '/api/cameras');
    camera = items[0]!;
    expect(camera).toMatchObject({ name: 'Phone', streams: { main: 'push' } });
    expect(JSON.stringify(camera)).not.toContain(address.slice(-24));
    await installation.json('PATCH', `/api/cameras/${camera.id}`, {
      recording: { mode: 'continuous' },
    });
  });

  test('is offline, with a reason, until somebody publishes', async () => {
    await eventually(
      'it is missed, and why',
      async () => {
        const { state, reason } = await installation.status(camera.id);
        return state === 'offline' && reason === 'nobody publishes to this address';
      },
      30_000,
    );
  });

  test('is online while it publishes, and its clip has every frame', async () => {
    publish(address);
    const online = async () => {
      const now = await installation.status(camera.id);
      return now.state === 'online' && now.recording.active && (now.fps ?? 0) > 0 ? now : undefined;
    };
    const status = await eventually('it is online', online, 60_000);
    expect(status).toMatchObject({ codec: 'h264', width: 640, height: 360 });
    const startedAt = Date.now();
    const span = await eventually(
      'ten seconds of footage',
      async () => {
        const now = Date.now();
        const { recordings } = await installation.timeline(camera.id, startedAt - 60_000, now);
        const [first] = recordings;
        const seconds =
          first === undefined ? 0 : (Date.parse(first.to) - Date.parse(first.from)) / 1000;
        return seconds > 10 ? first : undefined;
      },
      60_000,
    );
    const from = Date.parse(span.from) + 1000;
    const response = await installation.fetch(
      'GET',
      `/api/cameras/${camera.id}/clip.mp4?from=${from}&to=${from + 8000}`,
    );
    expect(response.status).toBe(200);
    const file = join(installation.dataDir, 'clip.mp4');
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    expect(await decodeErrors(file)).toBe('');
    const frames = await countFrames(file);
    expect(frames).toBeGreaterThanOrEqual(8 * FPS - 1);
    expect(frames).toBeLessThanOrEqual(9 * FPS + 1);
  }, 150_000);

  test('is locked out by a new address, and welcome at it', async () => {
    await page.goto(`${installation.url}/cameras/${camera.id}/edit`);
    await page.getByTestId('camera-renew-main').click();
    const renewed = await page.getByTestId('publish-main').inputValue();
    await look('renewed');
    await page.getByTestId('publish-done').click();
    await look('edit');
    expect(renewed).not.toBe(address);
    await eventually('the old publisher gave up', () => publishers[0]!.exitCode !== null, 30_000);
    const late = publish(address);
    await eventually('the old address is refused', () => late.exitCode !== null, 30_000);
    await eventually(
      'nothing comes any more',
      async () => (await installation.status(camera.id)).state === 'offline',
      30_000,
    );
    publish(renewed);
    await eventually(
      'it is online again',
      async () => (await installation.status(camera.id)).state === 'online',
      60_000,
    );
    expect(installation.output).not.toContain(address.slice(-24));
    expect(installation.output).not.toContain(renewed.slice(-24));
  }, 150_000);

  /** For people who want to see it: pictures where `NIGHTJAR_E2E_PICTURES` says. */
  async function look(name: string): Promise<void> {
    const directory = process.env.NIGHTJAR_E2E_PICTURES;
    if (directory === undefined) return;
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(directory, `push-${name}.png`) });
  }
});
