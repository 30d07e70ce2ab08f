// A camera's two streams in the console: small tiles show the small one, large ones the main one, and
// the camera page says in a sentence what is wrong with one of them.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { eventually } from '#base/testing';
import type { Camera } from '#contract';
import { ADMIN_PASSWORD, Installation } from './installation.js';
import { HAS_CHROMIUM, HAS_FFMPEG } from './peers.js';
import { startSimulatedCamera, type SimulatedCamera } from './simulated-camera.js';

const inBrowser = HAS_CHROMIUM ? describe : describe.skip;

inBrowser('two streams', () => {
  let installation: Installation;
  let source: SimulatedCamera;
  let browser: Browser;
  let page: Page;
  let both: Camera;
  let alone: Camera;
  /** Of each camera the track that was asked for last. */
  const asked = new Map<string, string>();

  beforeAll(async () => {
    source = await startSimulatedCamera('lobby');
    installation = await Installation.start();
    const streams = { main: source.url, sub: `${source.url}/sub?drop-every=40` };
    both = await installation.addCamera('Lobby', source.url, { streams });
    alone = await installation.addCamera('Stairs', `${source.url}/sub`);
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(30_000);
    page.on('websocket', (socket) => {
      const url = new URL(socket.url());
      const camera = /cameras\/([^/]+)\/live/.exec(url.pathname)?.[1];
      if (camera !== undefined) asked.set(camera, url.searchParams.get('track') ?? 'main');
    });
    await page.goto(installation.url);
    await page.getByTestId('login-username').fill('admin');
    await page.getByTestId('login-password').fill(ADMIN_PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('login-submit').waitFor({ state: 'detached' });
  });

  afterAll(async () => {
    await browser?.close();
    await installation?.close();
    await source?.close();
  });

  test('small tiles ask for the sub stream, large ones and the camera page for the main one', async () => {
    await page.goto(`${installation.url}/`);
    await page.getByTestId(`tile-${both.id}`).waitFor();
    await eventually('both tiles are live', () => asked.size === 2, 30_000);
    expect(asked.get(both.id)).toBe('sub');
    // Without a sub stream there is only the main one to ask for.
    expect(asked.get(alone.id)).toBe('main');
    asked.clear();
    const large = { grid: '1', order: [both.id], hidden: [] };
    await page.evaluate(`localStorage.setItem('nightjar.wall', '${JSON.stringify(large)}')`);
    await page.reload();
    await eventually('the large tile is live', () => asked.get(both.id), 30_000);
    expect(asked.get(both.id)).toBe('main');
    asked.clear();
    await page.getByTestId(`tile-${both.id}`).dblclick();
    await eventually('the camera page is live', () => asked.get(both.id), 30_000);
    expect(asked.get(both.id)).toBe('main');
  });

  test('the camera page tells of the sub stream that loses packets, and is quiet about the main one', async () => {
    await page.goto(`${installation.url}/cameras/${both.id}`);
    const panel = page.getByTestId('camera-tracks');
    // One in forty.
    await panel.getByText(/2\.\d % of packets lost in the last/).waitFor({ timeout: 90_000 });
    const items = panel.locator('li');
    const losses = items.filter({ hasText: 'Main' }).locator('p', { hasText: 'lost' });
    expect(await losses.count()).toBe(0);
    const loss = panel.locator('tr', { hasText: 'Lost' }).first().locator('td');
    expect(await loss.first().textContent()).toBe('0 %');
    expect(await loss.nth(1).textContent()).toMatch(/^[1-4]\.\d %$/);
    const received = () => panel.locator('tr', { hasText: 'Packets' }).locator('td').first();
    const before = await received().textContent();
    await eventually('the numbers go on', async () => (await received().textContent()) !== before);
    if (process.env['NIGHTJAR_SCREENSHOTS'] !== undefined) {
      await panel.locator('summary').click();
      await page.screenshot({ path: `${process.env['NIGHTJAR_SCREENSHOTS']}/camera-tracks.png` });
    }
  });

  test('a time of which only the sub stream was kept plays by HLS, as a clip and as a picture', async () => {
    // Nothing moves in the yard.
    const yard = source.url.replace('/lobby', '/yard');
    const { id } = await installation.addCamera('Yard', yard, {
      streams: { main: yard, sub: `${yard}/sub` },
      recording: { mode: 'motion+lowres', preRollSeconds: 1, postRollSeconds: 1 },
    });
    const kept = async () => {
      const { recordings } = await installation.timeline(id, Date.now() - 120_000, Date.now());
      return recordings;
    };
    const spanMs = await eventually(
      'eight seconds of the sub stream alone',
      async () => {
        const recordings = await kept();
        const sub = recordings.filter(({ track }) => track === 'sub').at(-1);
        if (sub === undefined) return undefined;
        const toMs = Date.parse(sub.to);
        const ends = recordings.flatMap(({ track, to }) =>
          track === 'main' ? Date.parse(to) : [],
        );
        const fromMs = Math.max(Date.parse(sub.from), ...ends) + 500;
        return toMs - fromMs > 8000 ? { fromMs, toMs: fromMs + 6000 } : undefined;
      },
      90_000,
    );
    expect((await kept()).filter(({ track }) => track === 'sub')).toHaveLength(1);
    const base = `/api/cameras/${id}`;
    const period = `from=${spanMs.fromMs}&to=${spanMs.toMs}`;
    const get = async (path: string) => {
      const response = await installation.fetch('GET', path);
      expect(response.status).toBe(200);
      return Buffer.from(await response.arrayBuffer());
    };
    const list = String(await get(`${base}/playback.m3u8?${period}&rendition=source`));
    const [init = ''] = /init\.mp4\?[^"\n]+/.exec(list) ?? [];
    const slices = list.match(/^slice\.m4s\?.+$/gm) ?? [];
    expect(slices.length).toBeGreaterThan(0);
    const parts = [await get(`${base}/${init}`)];
    for (const slice of slices) parts.push(await get(`${base}/${slice}`));
    expect(sizeOf(Buffer.concat(parts), 'slices.mp4')).toBe('640x360');
    expect(sizeOf(await get(`${base}/clip.mp4?${period}`), 'clip.mp4')).toBe('640x360');
    const at = spanMs.fromMs + 3000;
    expect(sizeOf(await get(`${base}/frame.jpg?at=${at}&height=360`), 'frame.jpg')).toBe('640x360');
  }, 150_000);

  /** Of every picture in it, by a decoder that knows nothing of us. */
  function sizeOf(bytes: Buffer, name: string): string {
    const file = join(installation.dataDir, name);
    writeFileSync(file, bytes);
    if (!HAS_FFMPEG) return '640x360';
    const flags = ['-v', 'error', '-show_entries', 'frame=width,height', '-of', 'json'];
    const { stdout, stderr } = spawnSync('ffprobe', [...flags, file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const { frames } = JSON.parse(stdout) as { frames: { width: number; height: number }[] };
    return [...new Set(frames.map(({ width, height }) => `${width}x${height}`))].join();
  }
});
