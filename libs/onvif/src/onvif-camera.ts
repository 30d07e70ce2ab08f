// One ONVIF camera: who made it, what it streams, and how to move it.

import { NightjarError } from '#base';
import { escapeXml, GuardedCam } from './guarded-cam.js';
import { introduce, unlessRefused, type Ask, type Introduction } from './introduction.js';
import { quirksOf, type Quirk } from './quirks.js';
import { streamAddress } from './stream-address.js';
import type { OnvifDeviceInfo } from './introduction.js';
import type { SoapAnswer } from './soap-answer.js';
import type { SoapNode } from './soap-node.js';

export interface OnvifAddress {
  /** The device service, as discovery gives it. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** For all of `connect` together, and then for each call; 10 s by default. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface OnvifProfile {
  readonly token: string;
  readonly name: string;
  /** The lens: profiles of one camera have one, those of a recorder or a multi-lens camera several. */
  readonly source?: string;
  /** As the camera names it: `H264`, `H265`, `JPEG`. */
  readonly codec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Pictures from one key frame to the next, as the encoder is set. */
  readonly groupFrames?: number;
  /** On the host that was asked, without user and password: the caller adds them. */
  readonly streamUrl: string;
  /** The host that the camera named, where it is another one. */
  readonly namedHost?: string;
}

export interface OnvifPreset {
  readonly token: string;
  readonly name: string;
}

/** Speeds from -1 to 1: to the right, up, and in. */
export interface PtzVelocity {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

const DEADLINE_MS = 10_000;
/** A camera whose NVR died stops by itself after this. */
const MOVE_TIMEOUT_MS = 5000;
const MOST_PROFILES = 16;

/** Every call has a deadline and throws NightjarError: see the room's README for the codes. */
export class OnvifCamera {
  readonly info: OnvifDeviceInfo;
  readonly profiles: readonly OnvifProfile[];
  readonly hasPtz: boolean;
  /** Whether it has an event service. */
  readonly hasEvents: boolean;
  /** Its clock minus ours, to the second; undefined when it does not tell the time. */
  readonly clockOffsetMs: number | undefined;
  /** What is known to be wrong with it. */
  readonly quirks: readonly Quirk[];
  /** `move` and `stop` are one request each, on a kept connection. */
  readonly ptz: {
    move(velocity: PtzVelocity): Promise<void>;
    stop(): Promise<void>;
  };
  readonly #cam: GuardedCam;
  readonly #deadlineMs: number;
  readonly #ptzProfile: string | undefined;
  #lastVelocity: PtzVelocity = { pan: 0, tilt: 0, zoom: 0 };
  #acceptsTimeout = true;

  private constructor(cam: GuardedCam, deadlineMs: number, found: Description) {
    this.#cam = cam;
    this.#deadlineMs = deadlineMs;
    this.info = found.info;
    this.profiles = found.profiles;
    this.#ptzProfile = found.ptzProfile;
    this.hasPtz = found.ptzProfile !== undefined;
    this.hasEvents = cam.offers('events');
    this.clockOffsetMs = found.clockOffsetMs;
    this.quirks = quirksOf(found.info).rows;
    this.ptz = { move: (velocity) => this.#move(velocity), stop: () => this.#stop() };
  }

  /**
   * Asks the device for everything that this class shows. Throws `invalid-argument` for a URL that
   * is not HTTP, `unauthenticated` when the device does not take the credentials (they are proven
   * by calls that need them), `unsupported` when no ONVIF device answers, `unavailable`, `timeout`.
   */
  static async connect(address: OnvifAddress): Promise<OnvifCamera> {
    const { username, password, deadlineMs = DEADLINE_MS, signal } = address;
    const url = deviceUrl(address.url);
    const cam = new GuardedCam({ url, username, password });
    const endMs = performance.now() + deadlineMs;
    const ask: Ask = (run) => {
      return cam.call(run, { deadlineMs: Math.max(1, endMs - performance.now()), signal });
    };
    try {
      return new OnvifCamera(cam, deadlineMs, await describe(cam, ask, url.hostname));
    } catch (error) {
      cam.close();
      throw error;
    }
  }

  async presets(): Promise<OnvifPreset[]> {
    const profileToken = this.#needPtz();
    const { node } = await this.#ask((done) => this.#cam.getPresets({ profileToken }, done));
    return node
      .at('getPresetsResponse')
      .all('preset')
      .flatMap((preset) => {
        const token = preset.attribute('token');
        return token === undefined ? [] : [{ token, name: preset.at('name').text ?? token }];
      });
  }

  /** Keeps where the camera looks now under a name; gives the new preset. */
  async savePreset(name: string): Promise<OnvifPreset> {
    const options = { profileToken: this.#needPtz(), presetName: escapeXml(name) };
    const { node } = await this.#ask((done) => this.#cam.setPreset(options, done));
    const token = node.at('setPresetResponse', 'presetToken').text;
    if (token === undefined) {
      throw new NightjarError('unsupported', 'the camera gave no token for the preset');
    }
    return { token, name };
  }

  /** Throws `not-found` for a token that the camera does not know. */
  async gotoPreset(token: string): Promise<void> {
    const options = { profileToken: this.#needPtz(), preset: escapeXml(token) };
    await this.#ask((done) => this.#cam.gotoPreset(options, done));
  }

  async removePreset(token: string): Promise<void> {
    const options = { profileToken: this.#needPtz(), presetToken: escapeXml(token) };
    await this.#ask((done) => this.#cam.removePreset(options, done));
  }

  /** Ends kept connections. */
  close(): void {
    this.#cam.close();
  }

  #ask(run: (done: (error: unknown) => void) => void): Promise<SoapAnswer> {
    return this.#cam.call(run, { deadlineMs: this.#deadlineMs });
  }

  #needPtz(): string {
    if (this.#ptzProfile === undefined) {
      throw new NightjarError('unsupported', 'the camera cannot be moved');
    }
    return escapeXml(this.#ptzProfile);
  }

  async #move(velocity: PtzVelocity): Promise<void> {
    const profileToken = this.#needPtz();
    const pan = within(velocity.pan);
    const tilt = within(velocity.tilt);
    const zoom = within(velocity.zoom);
    const last = this.#lastVelocity;
    // Cameras without one of the two refuse a command that names it, so an axis is named when it
    // moves, or has to stop moving.
    const namesZoom = zoom !== 0 || last.zoom !== 0;
    const namesPan = pan !== 0 || tilt !== 0 || last.pan !== 0 || last.tilt !== 0 || !namesZoom;
    const options = {
      profileToken,
      x: pan,
      y: tilt,
      zoom,
      ...(namesZoom ? {} : { onlySendPanTilt: true }),
      ...(namesPan ? {} : { onlySendZoom: true }),
    };
    this.#lastVelocity = { pan, tilt, zoom };
    try {
      const timeout = this.#acceptsTimeout ? { timeout: MOVE_TIMEOUT_MS } : {};
      await this.#ask((done) => this.#cam.continuousMove({ ...options, ...timeout }, done));
    } catch (error) {
      const refused = error instanceof NightjarError && error.code === 'invalid-argument';
      if (!refused || !this.#acceptsTimeout) throw error;
      this.#acceptsTimeout = false;
      await this.#ask((done) => this.#cam.continuousMove(options, done));
    }
  }

  async #stop(): Promise<void> {
    const options = { profileToken: this.#needPtz(), panTilt: true, zoom: true };
    await this.#ask((done) => this.#cam.stop(options, done));
    this.#lastVelocity = { pan: 0, tilt: 0, zoom: 0 };
  }
}

interface Description extends Introduction {
  readonly profiles: readonly OnvifProfile[];
  readonly ptzProfile: string | undefined;
}

async function describe(cam: GuardedCam, ask: Ask, host: string): Promise<Description> {
  const introduction = await introduce(cam, ask);
  const nodes = await profileNodes(cam, ask);
  const profiles: OnvifProfile[] = [];
  for (const profile of nodes.slice(0, MOST_PROFILES)) {
    const token = profile.attribute('token');
    if (token === undefined) continue;
    const found = await profileOf(cam, ask, { profile, token, host });
    if (found !== undefined) profiles.push(found);
  }
  const movable = nodes.find(
    (profile) =>
      profile.at('PTZConfiguration').exists || profile.at('configurations', 'PTZ').exists,
  );
  const ptzProfile = cam.offers('ptz') ? movable?.attribute('token') : undefined;
  return { ...introduction, profiles, ptzProfile };
}

/** By Media2 where there is one that works, else by Media. */
async function profileNodes(cam: GuardedCam, ask: Ask): Promise<SoapNode[]> {
  const places = (cam.uri ?? {}) as Readonly<Record<string, unknown>>;
  const list = async (): Promise<SoapNode[]> =>
    (await ask((done) => cam.getProfiles(done))).node.at('getProfilesResponse').all('profiles');
  if (places.media === undefined && places.media2 === undefined) return [];
  if (cam.media2Support !== true) return list();
  try {
    return await list();
  } catch (error) {
    if (places.media === undefined) throw error;
    unlessRefused(error);
    cam.media2Support = false;
    return list();
  }
}

async function profileOf(
  cam: GuardedCam,
  ask: Ask,
  { profile, token, host }: { profile: SoapNode; token: string; host: string },
): Promise<OnvifProfile | undefined> {
  const options = { profileToken: escapeXml(token), protocol: 'RTSP' };
  const answer = await ask((done) => cam.getStreamUri(options, done)).catch(unlessRefused);
  const response = answer?.node.at('getStreamUriResponse');
  const uri = response?.at('mediaUri', 'uri').text ?? response?.at('uri').text;
  const stream = uri === undefined ? undefined : streamAddress(uri, host);
  if (stream === undefined) return undefined;
  const first = profile.at('videoEncoderConfiguration');
  const encoder = first.exists ? first : profile.at('configurations', 'videoEncoder');
  const codec = encoder.at('encoding').text;
  const width = encoder.at('resolution', 'width').number;
  const height = encoder.at('resolution', 'height').number;
  const fps = encoder.at('rateControl', 'frameRateLimit').number;
  const groupFrames = groupFramesOf(encoder);
  const source =
    profile.at('videoSourceConfiguration', 'sourceToken').text ??
    profile.at('configurations', 'videoSource', 'sourceToken').text;
  return {
    token,
    name: profile.at('name').text ?? token,
    ...stream,
    ...(source === undefined ? {} : { source }),
    ...(groupFrames === undefined ? {} : { groupFrames }),
    ...(codec === undefined ? {} : { codec }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(fps === undefined ? {} : { fps }),
  };
}

/** Media has it in an element of the codec, Media2 as an attribute. */
function groupFramesOf(encoder: SoapNode): number | undefined {
  const told =
    encoder.at('H264', 'govLength').number ??
    encoder.at('H265', 'govLength').number ??
    Number(encoder.attribute('GovLength') ?? NaN);
  return Number.isInteger(told) && told > 0 ? told : undefined;
}

export function deviceUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new NightjarError('invalid-argument', 'expected an http:// or https:// URL');
  }
  return url;
}

function within(speed: number): number {
  return Number.isFinite(speed) ? Math.min(1, Math.max(-1, speed)) : 0;
}
