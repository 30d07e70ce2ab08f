// One ONVIF device: answers the device, media, PTZ and event services of one scene.

import type { Clock } from '#base';
import type { Credentials } from './digest-gate.js';
import type { PtzHead, PtzVector } from './ptz-head.js';
import { eventActions, type EventAction, type ReferenceStyle } from './event-actions.js';
import { OnvifEvents } from './onvif-events.js';
import { envelope, escapeXml, fault, secondsOf, SoapRequest, type OnvifAnswer } from './soap.js';

export interface OnvifProfile {
  readonly token: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly encoding: 'H264' | 'H265';
  /** The stream's path at the RTSP door. */
  readonly path: string;
}

export interface OnvifDeviceOptions {
  readonly name: string;
  readonly profiles: readonly OnvifProfile[];
  readonly hasPtz: boolean;
  readonly credentials: Credentials | undefined;
  readonly head: PtzHead;
  readonly clock: Clock;
  /** Whether the scene moves at that wall-clock time. */
  readonly isMoving: (unixMs: number) => boolean;
}

/** What a device does wrong, besides its events. */
export interface DeviceFaults {
  /** Its clock is wrong by this much. */
  clockOffsetMs?: number;
  /** The host that it names in stream addresses and subscriptions. */
  namedHost?: string;
  /** Who it says that it is. */
  manufacturer?: string;
  model?: string;
  references?: ReferenceStyle;
  hasNoEvents?: boolean;
}

export interface OnvifCall {
  readonly xml: string;
  /** Path and query of the request. */
  readonly place: string;
  /** The host and port that the client spoke to. */
  readonly host: string;
  readonly rtspPort: number;
}

/** What anybody may ask (ONVIF Core, 5.9.4: pre-authentication). */
const OPEN_ACTIONS = new Set(['GetSystemDateAndTime', 'GetCapabilities', 'GetServices']);

type Action = (request: SoapRequest, call: OnvifCall) => OnvifAnswer | string;

export class OnvifDevice {
  readonly name: string;
  readonly head: PtzHead;
  readonly faults: DeviceFaults = {};
  readonly events: OnvifEvents;
  readonly #options: OnvifDeviceOptions;
  readonly #actions: Readonly<Record<string, Action>>;
  readonly #eventActions: Readonly<Record<string, EventAction>>;

  constructor(options: OnvifDeviceOptions) {
    this.name = options.name;
    this.head = options.head;
    this.#options = options;
    this.events = new OnvifEvents({
      clock: options.clock,
      nowMs: () => this.#nowMs(),
      isMoving: () => options.isMoving(options.clock.nowUnixMs()),
    });
    this.#eventActions = eventActions(this.events, () => this.faults.references ?? 'address');
    this.#actions = { ...this.#deviceActions(), ...this.#mediaActions(), ...this.#ptzActions() };
  }

  get scopes(): readonly string[] {
    return [
      'onvif://www.onvif.org/type/video_encoder',
      'onvif://www.onvif.org/Profile/Streaming',
      'onvif://www.onvif.org/hardware/Simulator',
      `onvif://www.onvif.org/name/${encodeURIComponent(`Nightjar ${this.name}`)}`,
      ...(this.#options.hasPtz ? ['onvif://www.onvif.org/type/ptz'] : []),
    ];
  }

  /** An answer with status 0: the connection ends without one. */
  answer(call: OnvifCall): OnvifAnswer | Promise<OnvifAnswer> {
    const request = new SoapRequest(call.xml);
    const { credentials } = this.#options;
    const isOpen = credentials === undefined || OPEN_ACTIONS.has(request.action);
    if (!isOpen && !request.provesKnowledgeOf(credentials, this.#nowMs())) {
      return { status: 400, xml: fault(['ter:NotAuthorized'], 'Sender not authorized') };
    }
    const event = this.faults.hasNoEvents === true ? undefined : this.#eventActions[request.action];
    if (event !== undefined) {
      return event(request, { place: call.place, serviceUrl: this.#url(call, 'events') });
    }
    const action = this.#actions[request.action];
    if (action === undefined) {
      return {
        status: 400,
        xml: fault(['ter:ActionNotSupported'], 'Optional action not implemented'),
      };
    }
    const answer = action(request, call);
    return typeof answer === 'string' ? { status: 200, xml: envelope(answer) } : answer;
  }

  #nowMs(): number {
    return this.#options.clock.nowUnixMs() + (this.faults.clockOffsetMs ?? 0);
  }

  #url(call: OnvifCall, service: string): string {
    const { namedHost } = this.faults;
    const host = namedHost === undefined ? call.host : call.host.replace(/^[^:]*/, namedHost);
    return `http://${host}/onvif/${this.name}/${service}_service`;
  }

  #deviceActions(): Record<string, Action> {
    const services = (call: OnvifCall): (readonly [namespace: string, service: string])[] => [
      ['http://www.onvif.org/ver10/device/wsdl', this.#url(call, 'device')],
      ['http://www.onvif.org/ver10/media/wsdl', this.#url(call, 'media')],
      ...(this.#options.hasPtz
        ? [['http://www.onvif.org/ver20/ptz/wsdl', this.#url(call, 'ptz')] as const]
        : []),
      ...(this.faults.hasNoEvents === true
        ? []
        : [['http://www.onvif.org/ver10/events/wsdl', this.#url(call, 'events')] as const]),
    ];
    return {
      GetSystemDateAndTime: () => dateAndTime(new Date(this.#nowMs())),
      GetDeviceInformation: () =>
        '<tds:GetDeviceInformationResponse><tds:Manufacturer>' +
        `${escapeXml(this.faults.manufacturer ?? 'Nightjar')}</tds:Manufacturer>` +
        `<tds:Model>${escapeXml(this.faults.model ?? `Simulator ${this.name}`)}</tds:Model><tds:FirmwareVersion>1.10</tds:FirmwareVersion>` +
        '<tds:SerialNumber>0042</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>',
      GetServices: (_request, call) =>
        `<tds:GetServicesResponse>${services(call)
          .map(
            ([namespace, url]) =>
              `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${url}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>42</tt:Minor></tds:Version></tds:Service>`,
          )
          .join('')}</tds:GetServicesResponse>`,
      GetCapabilities: (_request, call) =>
        `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>${this.#url(call, 'device')}</tt:XAddr></tt:Device>` +
        `<tt:Media><tt:XAddr>${this.#url(call, 'media')}</tt:XAddr><tt:StreamingCapabilities><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>` +
        (this.#options.hasPtz
          ? `<tt:PTZ><tt:XAddr>${this.#url(call, 'ptz')}</tt:XAddr></tt:PTZ>`
          : '') +
        (this.faults.hasNoEvents === true
          ? ''
          : `<tt:Events><tt:XAddr>${this.#url(call, 'events')}</tt:XAddr><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events>`) +
        '</tds:Capabilities></tds:GetCapabilitiesResponse>',
      GetScopes: () =>
        `<tds:GetScopesResponse>${this.scopes
          .map(
            (scope) =>
              `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>${scope}</tt:ScopeItem></tds:Scopes>`,
          )
          .join('')}</tds:GetScopesResponse>`,
    };
  }

  #mediaActions(): Record<string, Action> {
    const { profiles } = this.#options;
    return {
      GetProfiles: () =>
        `<trt:GetProfilesResponse>${profiles.map((profile) => this.#profile(profile)).join('')}</trt:GetProfilesResponse>`,
      GetVideoSources: () =>
        `<trt:GetVideoSourcesResponse><trt:VideoSources token="source"><tt:Framerate>${profiles[0]?.fps ?? 0}</tt:Framerate>${resolution(profiles[0])}</trt:VideoSources></trt:GetVideoSourcesResponse>`,
      GetStreamUri: (request, call) => {
        const profile = profiles.find((one) => one.token === request.text('ProfileToken'));
        if (profile === undefined) return noProfile();
        const host = this.faults.namedHost ?? call.host.replace(/:\d+$/, '');
        const uri = `rtsp://${host}:${call.rtspPort}/${profile.path}`;
        return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`;
      },
    };
  }

  #profile(profile: OnvifProfile): string {
    const { token, name, encoding, fps } = profile;
    return (
      `<trt:Profiles token="${token}" fixed="true"><tt:Name>${escapeXml(name)}</tt:Name>` +
      `<tt:VideoSourceConfiguration token="source-configuration"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken><tt:Bounds x="0" y="0" width="${profile.width}" height="${profile.height}"/></tt:VideoSourceConfiguration>` +
      `<tt:VideoEncoderConfiguration token="encoder-${token}"><tt:Name>${escapeXml(name)}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>${encoding}</tt:Encoding>${resolution(profile)}<tt:Quality>4</tt:Quality>` +
      `<tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration>` +
      (this.#options.hasPtz
        ? '<tt:PTZConfiguration token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>node</tt:NodeToken></tt:PTZConfiguration>'
        : '') +
      '</trt:Profiles>'
    );
  }

  #ptzActions(): Record<string, Action> {
    if (!this.#options.hasPtz) return {};
    const { head } = this;
    const done = (name: string): string => `<tptz:${name}Response/>`;
    return {
      GetNodes: () =>
        '<tptz:GetNodesResponse><tptz:PTZNode token="node"><tt:Name>node</tt:Name><tt:SupportedPTZSpaces/><tt:MaximumNumberOfPresets>100</tt:MaximumNumberOfPresets><tt:HomeSupported>false</tt:HomeSupported></tptz:PTZNode></tptz:GetNodesResponse>',
      GetConfigurations: () =>
        '<tptz:GetConfigurationsResponse><tptz:PTZConfiguration token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>node</tt:NodeToken></tptz:PTZConfiguration></tptz:GetConfigurationsResponse>',
      GetStatus: () => {
        const { pan, tilt, zoom } = head.position;
        const state = head.moving ? 'MOVING' : 'IDLE';
        return `<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position><tt:PanTilt x="${pan}" y="${tilt}"/><tt:Zoom x="${zoom}"/></tt:Position><tt:MoveStatus><tt:PanTilt>${state}</tt:PanTilt><tt:Zoom>${state}</tt:Zoom></tt:MoveStatus><tt:UtcTime>${new Date().toISOString()}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>`;
      },
      ContinuousMove: (request) => {
        head.move(vectorOf(request), secondsOf(request.text('Timeout')) * 1000);
        return done('ContinuousMove');
      },
      Stop: () => {
        head.stop();
        return done('Stop');
      },
      AbsoluteMove: (request) => {
        head.moveTo(vectorOf(request));
        return done('AbsoluteMove');
      },
      RelativeMove: (request) => {
        head.moveBy(vectorOf(request));
        return done('RelativeMove');
      },
      GetPresets: () =>
        `<tptz:GetPresetsResponse>${head.presets
          .map(
            ({ token, name, position }) =>
              `<tptz:Preset token="${token}"><tt:Name>${escapeXml(name)}</tt:Name><tt:PTZPosition><tt:PanTilt x="${position.pan}" y="${position.tilt}"/><tt:Zoom x="${position.zoom}"/></tt:PTZPosition></tptz:Preset>`,
          )
          .join('')}</tptz:GetPresetsResponse>`,
      SetPreset: (request) => {
        const { token } = head.savePreset(request.text('PresetName') ?? 'preset');
        return `<tptz:SetPresetResponse><tptz:PresetToken>${token}</tptz:PresetToken></tptz:SetPresetResponse>`;
      },
      GotoPreset: (request) =>
        head.gotoPreset(request.text('PresetToken') ?? '') ? done('GotoPreset') : noPreset(),
      RemovePreset: (request) =>
        head.removePreset(request.text('PresetToken') ?? '') ? done('RemovePreset') : noPreset(),
    };
  }
}

function resolution(profile: OnvifProfile | undefined): string {
  return `<tt:Resolution><tt:Width>${profile?.width ?? 0}</tt:Width><tt:Height>${profile?.height ?? 0}</tt:Height></tt:Resolution>`;
}

function noProfile(): OnvifAnswer {
  return { status: 400, xml: fault(['ter:InvalidArgVal', 'ter:NoProfile'], 'No such profile') };
}

function noPreset(): OnvifAnswer {
  return { status: 400, xml: fault(['ter:InvalidArgVal', 'ter:NoToken'], 'No such preset') };
}

function vectorOf(request: SoapRequest): PtzVector {
  return {
    pan: request.attribute('PanTilt', 'x') ?? 0,
    tilt: request.attribute('PanTilt', 'y') ?? 0,
    zoom: request.attribute('Zoom', 'x') ?? 0,
  };
}

function dateAndTime(now: Date): string {
  return (
    '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>' +
    `<tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time>` +
    `<tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime>` +
    '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
  );
}
