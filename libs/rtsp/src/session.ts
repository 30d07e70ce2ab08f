// One session with a camera (RFC 2326): describes, sets up, plays, keeps alive, tears down.

import { messageOf, type Clock, type Timer } from '#base';
import { chooseAudio, type AudioChoice } from './audio-choice.js';
import { Authentication } from './authentication.js';
import { Connection } from './connection.js';
import type { MediaHandler } from './media-handler.js';
import { printable, type RtspResponse } from './message.js';
import {
  parseRtspUrl,
  resolveControl,
  withoutUserInfo,
  type Credentials,
  type RtspUrl,
} from './rtsp-url.js';
import type { ReadTurns } from './read-turns.js';
import {
  chooseVideo,
  parseSdp,
  whyNoVideo,
  type Sdp,
  type SdpMedia,
  type VideoChoice,
} from './sdp.js';
import { speaksHttp, streamError } from './stream-error.js';
import type { RtspTransport } from './stream-face.js';
import { readTransport, type GrantedTransport } from './transport-header.js';
import { UdpPorts } from './udp-ports.js';

const MAX_REDIRECTS = 5;
const MAX_ATTEMPTS_TO_AUTHENTICATE = 3;
const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_KEEP_ALIVE_MS = 30_000;
const MIN_KEEP_ALIVE_MS = 1000;
const TEARDOWN_DEADLINE_MS = 1000;

export interface SessionOptions {
  readonly url: string;
  readonly transport: RtspTransport;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly turns?: ReadTurns | undefined;
  /** Once, when a session that was opened ends by itself. Not after `close`. */
  onEnd(error: Error): void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #signal: AbortSignal;
  #url: RtspUrl;
  #authentication: Authentication | undefined;
  #connection: Connection | undefined;
  #server: string | undefined;
  #sdp: Sdp = { control: undefined, media: [] };
  #video: VideoChoice | undefined;
  #baseUrl = '';
  #aggregateUrl = '';
  #sessionId: string | undefined;
  #timeoutSeconds = DEFAULT_TIMEOUT_SECONDS;
  #hasGetParameter = true;
  #keepAlive: Timer | undefined;
  #keepAliveOpen = false;
  #handler: MediaHandler | undefined;
  #rtpChannel = -1;
  #rtcpChannel = -1;
  #ports: UdpPorts | undefined;
  #audioHandler: MediaHandler | undefined;
  #audioRtpChannel = -1;
  #audioRtcpChannel = -1;
  #audioPorts: UdpPorts | undefined;
  #audioFault: string | undefined;
  #audioAsked = false;
  #opened = false;
  #closed = false;
  #redirectTo: string | undefined;

  private constructor(options: SessionOptions, url: RtspUrl, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#url = url;
    this.#authentication = authenticationFor(this.#url.credentials);
  }

  /** Connects and describes. Rejects with a stream error; nothing is left open then. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const url = urlOf(options.url, options.transport);
    try {
      return await Session.#open(options, url, signal);
    } catch (error) {
      // The door of a web server, or of a camera that is reached through one: a tunnel may pass it.
      if (options.transport !== 'tcp' || !speaksHttp(error)) throw error;
      return await Session.#open({ ...options, transport: 'http' }, url, signal);
    }
  }

  static async #open(options: SessionOptions, url: RtspUrl, signal: AbortSignal): Promise<Session> {
    const session = new Session(options, url, signal);
    const abort = () => session.close();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await session.#describe();
      session.#opened = true;
      return session;
    } catch (error) {
      session.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get video(): VideoChoice {
    if (this.#video === undefined) throw streamError('unsupported-stream', whyNoVideo(this.#sdp));
    return this.#video;
  }

  /** The `Server` header. */
  get server(): string | undefined {
    return this.#server;
  }

  /** The coding of the first audio media. */
  get audio(): string | undefined {
    const names = this.#sdp.media
      .filter(({ kind }) => kind === 'audio')
      .flatMap(({ codings }) => codings.map(({ name }) => name));
    return names[0];
  }

  /** The RTP clock rate of the first audio media. */
  get audioRate(): number | undefined {
    const media = this.#sdp.media.filter(({ kind }) => kind === 'audio');
    return media.flatMap(({ codings }) => codings.map(({ clockRate }) => clockRate))[0];
  }

  /** Where the camera asked to be asked instead, without credentials of other hosts. */
  get redirectTo(): string | undefined {
    return this.#redirectTo;
  }

  /** The sound that can be recorded. */
  get audioChoice(): AudioChoice | undefined {
    const choice = chooseAudio(this.#sdp);
    return choice === undefined || 'fault' in choice ? undefined : choice;
  }

  /** Why the sound of the camera does not come; undefined when it does, or when there is none. */
  get audioFault(): string | undefined {
    const choice = chooseAudio(this.#sdp);
    return choice !== undefined && 'fault' in choice ? choice.fault : this.#audioFault;
  }

  /** The camera was asked for its sound: what ends now may have ended for that. */
  get audioAsked(): boolean {
    return this.#audioAsked;
  }

  get rubbishBytes(): number {
    return this.#connection?.rubbishBytes ?? 0;
  }

  /** Sets the video up, and the sound if somebody takes it, and plays. Packets may come before it resolves. */
  async play(handler: MediaHandler, audioHandler?: MediaHandler): Promise<void> {
    this.#handler = handler;
    this.#ports = await this.#openPorts();
    const granted = await this.#setUp(this.video.media, 0, this.#ports);
    [this.#rtpChannel, this.#rtcpChannel] = granted.channels;
    this.#beginPorts(this.#ports, granted, handler);
    const sound = this.audioChoice;
    if (audioHandler !== undefined && sound !== undefined) {
      await this.#setUpAudio(sound, audioHandler);
    }
    const response = await this.#request('PLAY', this.#aggregateUrl, [
      ...this.#sessionHeader(),
      ['Range', 'npt=0.000-'],
    ]);
    if (response.status !== 200) throw refusal('PLAY', response);
    const intervalMs = Math.min(
      MAX_KEEP_ALIVE_MS,
      Math.max(MIN_KEEP_ALIVE_MS, (this.#timeoutSeconds * 1000) / 2),
    );
    this.#keepAlive = this.#options.clock.every(intervalMs, () => void this.#stayAlive());
  }

  /** Says goodbye if the camera listens, then closes. Never rejects. */
  async tearDown(): Promise<void> {
    this.#opened = false;
    this.#handler = undefined;
    this.#keepAlive?.cancel();
    if (this.#sessionId !== undefined) {
      const deadlineMs = Math.min(TEARDOWN_DEADLINE_MS, this.#options.deadlineMs);
      await this.#request('TEARDOWN', this.#aggregateUrl, this.#sessionHeader(), deadlineMs).catch(
        () => undefined,
      );
    }
    this.close();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#opened = false;
    this.#handler = undefined;
    this.#audioHandler = undefined;
    this.#keepAlive?.cancel();
    this.#ports?.close();
    this.#audioPorts?.close();
    this.#connection?.close();
  }

  async #describe(): Promise<void> {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      await this.#connect();
      const options = await this.#request('OPTIONS', this.#url.requestUrl, []);
      const methods = options.headers.all('public').join(',');
      this.#hasGetParameter = methods === '' || /\bGET_PARAMETER\b/i.test(methods);
      const response = await this.#request('DESCRIBE', this.#url.requestUrl, [
        ['Accept', 'application/sdp'],
      ]);
      this.#server = (response.headers.get('server') ?? options.headers.get('server'))?.slice(
        0,
        200,
      );
      if (response.status === 200) return this.#readDescription(response);
      if (!isRedirect(response.status)) throw refusal('DESCRIBE', response);
      this.#follow(response.headers.get('location'));
    }
    throw streamError('protocol', `the camera redirects more than ${MAX_REDIRECTS} times`);
  }

  async #connect(): Promise<void> {
    this.#connection?.close();
    const { clock, deadlineMs, turns, transport } = this.#options;
    this.#connection = await Connection.open(
      {
        url: this.#url,
        clock,
        deadlineMs,
        tunnel: transport === 'http',
        turns,
        onRedirect: (location) => this.#redirected(location),
        onPacket: (channel, bytes, start, end) => {
          if (channel === this.#rtpChannel) this.#handler?.onRtp(bytes, start, end);
          else if (channel === this.#rtcpChannel) this.#handler?.onRtcp(bytes, start, end);
          else if (channel === this.#audioRtpChannel) this.#audioHandler?.onRtp(bytes, start, end);
          else if (channel === this.#audioRtcpChannel)
            this.#audioHandler?.onRtcp(bytes, start, end);
        },
        isChannel: (channel) =>
          channel === this.#rtpChannel ||
          channel === this.#rtcpChannel ||
          channel === this.#audioRtpChannel ||
          channel === this.#audioRtcpChannel,
        onEnd: (error) => this.#ended(error),
      },
      this.#signal,
    );
    // Closed while the connection was being made: nobody else would close it.
    if (this.#closed) this.#connection.close();
  }

  /** The next attempt goes there; its own password is known by its own host only. */
  #redirected(location: string): void {
    try {
      this.#follow(location);
    } catch {
      return;
    }
    const { credentials, requestUrl } = this.#url;
    this.#redirectTo =
      credentials === undefined
        ? requestUrl
        : requestUrl.replace(
            '://',
            `://${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`,
          );
  }

  #follow(location: string | undefined): void {
    if (location === undefined || !/^rtsps?:\/\//i.test(location)) {
      throw streamError('protocol', 'the camera redirects to what is no rtsp:// URL');
    }
    let next: RtspUrl;
    try {
      next = parseRtspUrl(location, this.#options.transport);
    } catch (error) {
      throw streamError('protocol', 'the camera redirects to a broken URL', {}, error);
    }
    // The password is for this camera only: another host must be named with its own.
    const same = next.host === this.#url.host && (next.secure || !this.#url.secure);
    const credentials = next.credentials ?? (same ? this.#url.credentials : undefined);
    this.#authentication = authenticationFor(credentials);
    this.#url = { ...next, ...(credentials === undefined ? {} : { credentials }) };
  }

  #readDescription(response: RtspResponse): void {
    this.#sdp = parseSdp(response.body);
    if (this.#sdp.media.length === 0) {
      throw streamError('protocol', 'expected a session description, found none with media');
    }
    this.#video = chooseVideo(this.#sdp);
    if (this.#video === undefined) throw streamError('unsupported-stream', whyNoVideo(this.#sdp));
    if (this.#video.coding.parameters.get('packetization-mode') === '2') {
      throw streamError(
        'unsupported-stream',
        'the camera sends H.264 interleaved (packetization-mode 2); Nightjar reads modes 0 and 1',
      );
    }
    const { headers } = response;
    const base = headers.get('content-base') ?? headers.get('content-location');
    const usable = base !== undefined && /^rtsps?:\/\/[\u0021-\u007e]+$/i.test(base);
    this.#baseUrl = usable ? withoutUserInfo(base) : this.#url.requestUrl;
    this.#aggregateUrl = resolveControl(this.#baseUrl, this.#sdp.control);
  }

  async #openPorts(): Promise<UdpPorts | undefined> {
    if (this.#options.transport !== 'udp') return undefined;
    const ports = await UdpPorts.open(this.#connection?.localAddress ?? '0.0.0.0', this.#options);
    if (this.#closed) ports.close();
    return ports;
  }

  #beginPorts(ports: UdpPorts | undefined, granted: GrantedTransport, handler: MediaHandler): void {
    ports?.begin({
      granted,
      address: this.#connection?.remoteAddress ?? this.#url.host,
      handler,
      onError: (error) => this.#ended(error),
    });
  }

  /** A refusal costs the sound; only a connection that ends for it throws. */
  async #setUpAudio({ media }: AudioChoice, handler: MediaHandler): Promise<void> {
    this.#audioAsked = true;
    try {
      this.#audioPorts = await this.#openPorts();
      const granted = await this.#setUp(media, 2, this.#audioPorts);
      const [rtp, rtcp] = granted.channels;
      const taken = rtp === this.#rtpChannel || rtp === this.#rtcpChannel;
      if (this.#audioPorts === undefined && taken) {
        this.#audioFault = 'the camera sends its sound on the channels of the picture';
        return;
      }
      this.#audioHandler = handler;
      [this.#audioRtpChannel, this.#audioRtcpChannel] = [rtp, rtcp];
      this.#beginPorts(this.#audioPorts, granted, handler);
    } catch (error) {
      if (this.#closed) throw error;
      this.#audioPorts?.close();
      this.#audioFault = `the camera did not give its sound: ${messageOf(error)}`;
    }
  }

  /** Asks for a media on two channels from `firstChannel`, or on `ports`. */
  async #setUp(
    media: SdpMedia,
    firstChannel: number,
    ports: UdpPorts | undefined,
  ): Promise<GrantedTransport> {
    const { transport, deadlineMs } = this.#options;
    const asked =
      ports === undefined
        ? `RTP/AVP/TCP;unicast;interleaved=${firstChannel}-${firstChannel + 1}`
        : `RTP/AVP;unicast;client_port=${ports.rtpPort}-${ports.rtpPort + 1}`;
    const url = resolveControl(this.#baseUrl, media.control);
    const headers: [string, string][] = [['Transport', asked], ...this.#sessionHeader()];
    const response = await this.#request('SETUP', url, headers, deadlineMs);
    if (response.status !== 200) throw refusal('SETUP', response, transport);
    const session = /^\s*([^;\s]{1,256})\s*(?:;.*?timeout\s*=\s*(\d{1,9}))?/i.exec(
      response.headers.get('session') ?? '',
    );
    this.#sessionId = session?.[1] ?? this.#sessionId;
    this.#timeoutSeconds = Number(session?.[2] ?? 0) || this.#timeoutSeconds;
    return readTransport(response.headers.get('transport'), transport, firstChannel);
  }

  async #stayAlive(): Promise<void> {
    if (this.#keepAliveOpen || !this.#opened) return;
    this.#keepAliveOpen = true;
    const method = this.#hasGetParameter ? 'GET_PARAMETER' : 'OPTIONS';
    try {
      const { status } = await this.#request(method, this.#aggregateUrl, this.#sessionHeader());
      if (status === 454) {
        this.#ended(streamError('closed-by-camera', 'the camera has forgotten the session'));
      } else if (status >= 400) {
        this.#hasGetParameter = false;
      }
    } catch {
      // A camera that sends pictures and answers nothing is alive; one that does not, stalls.
      this.#hasGetParameter = false;
    } finally {
      this.#keepAliveOpen = false;
    }
  }

  #sessionHeader(): [string, string][] {
    return this.#sessionId === undefined ? [] : [['Session', this.#sessionId]];
  }

  async #request(
    method: string,
    url: string,
    headers: readonly (readonly [string, string])[],
    deadlineMs = this.#options.deadlineMs,
  ): Promise<RtspResponse> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS_TO_AUTHENTICATE; attempt++) {
      const connection = this.#connection;
      if (connection === undefined) throw streamError('stopped', 'the session is not open');
      const authorization = this.#authentication?.header(method, url);
      const all: (readonly [string, string])[] = [['User-Agent', 'Nightjar'], ...headers];
      if (authorization !== undefined) all.push(['Authorization', authorization]);
      const response = await connection.request(method, url, all, deadlineMs);
      if (response.status !== 401) {
        if (authorization !== undefined) this.#authentication?.accepted();
        return response;
      }
      if (this.#authentication === undefined) {
        throw streamError('authentication', 'the camera asks for a user and a password');
      }
      const verdict = this.#authentication.challenge(response.headers.all('www-authenticate'));
      if (verdict === 'rejected') break;
      if (verdict === 'unknown') {
        throw streamError(
          'authentication',
          'the camera asks for a kind of authentication that Nightjar does not know',
        );
      }
      const closes = /\bclose\b/i.test(response.headers.get('connection') ?? '');
      if (closes && this.#sessionId === undefined) await this.#connect();
    }
    throw streamError('authentication', 'the camera refuses this user and password');
  }

  #ended(error: Error): void {
    const { onEnd } = this.#options;
    const tell = this.#opened;
    this.close();
    if (tell) onEnd(error);
  }
}

function urlOf(text: string, transport: RtspTransport): RtspUrl {
  try {
    return parseRtspUrl(text, transport);
  } catch (error) {
    throw streamError('protocol', messageOf(error), {}, error);
  }
}

function authenticationFor(credentials: Credentials | undefined): Authentication | undefined {
  return credentials === undefined ? undefined : new Authentication(credentials);
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** What an answer that is not 200 means. */
function refusal(
  method: string,
  { status, phrase }: RtspResponse,
  transport?: RtspTransport,
): Error {
  const answer = `${status} ${printable(phrase)}`.trim();
  const context = { method, status };
  if (status === 403) {
    return streamError('authentication', `the camera forbids the stream (${answer})`, context);
  }
  if (status === 404 || status === 410) {
    return streamError('not-found', `the camera has no stream at this path (${answer})`, context);
  }
  if (status === 461 && transport !== undefined) {
    return streamError(
      'unsupported-stream',
      `the camera does not send over ${transport.toUpperCase()} (${answer})`,
      context,
    );
  }
  return streamError('refused', `the camera answered ${method} with ${answer}`, context);
}
