// One PullPoint subscription (ONVIF Core, 9.1; WS-BaseNotification) at a camera.

import { NightjarError } from '#base';
import { escapeXml, type GuardedCam, type OwnRequest } from './guarded-cam.js';
import type { Behaviour } from './quirks.js';
import type { SoapNode } from './soap-node.js';
import type { SoapAnswer } from './soap-answer.js';

const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
const NOTIFY = 'http://docs.oasis-open.org/wsn/b-2';
const NOTIFY_ACTIONS = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager';
/** What we ask for: short, since a camera has few places and keeps one whose client died. */
const LIFETIME_MS = 120_000;
const DEADLINE_MS = 10_000;
const MESSAGES_AT_ONCE = 100;
const MOST_PARAMETERS = 8;
/** Camera times further apart than this are nonsense. */
const LONGEST_LIFETIME_MS = 24 * 3_600_000;

export interface PullPointOptions {
  readonly cam: GuardedCam;
  readonly behaviour: Behaviour;
  readonly signal: AbortSignal;
  nowMs(): number;
}

export class PullPoint {
  readonly #options: PullPointOptions;
  readonly #place: string;
  /** What the camera wants to find in the header of every further request. */
  readonly #parameters: string;
  #endsAtMs = 0;

  private constructor(options: PullPointOptions, place: string, parameters: string) {
    this.#options = options;
    this.#place = place;
    this.#parameters = parameters;
  }

  /** Throws what `GuardedCam.call` throws; `unsupported` when the camera has no event service. */
  static async create(options: PullPointOptions): Promise<PullPoint> {
    const { cam, signal } = options;
    const { node } = await cam.send(
      {
        action: `${EVENTS}/EventPortType/CreatePullPointSubscriptionRequest`,
        to: { service: 'events' },
        body: `<CreatePullPointSubscription xmlns="${EVENTS}"><InitialTerminationTime>${secondsOf(LIFETIME_MS)}</InitialTerminationTime></CreatePullPointSubscription>`,
      },
      { deadlineMs: DEADLINE_MS, signal },
    );
    const response = node.at('createPullPointSubscriptionResponse');
    const reference = response.at('subscriptionReference');
    const place = placeOf(reference.at('address').text);
    if (place === undefined) {
      throw new NightjarError('unsupported', 'the camera does not say where its events are pulled');
    }
    const parameters = reference.at('referenceParameters').elements.slice(0, MOST_PARAMETERS);
    const pullPoint = new PullPoint(options, place, parameters.map(parameterXml).join(''));
    pullPoint.#noteEnd(response);
    return pullPoint;
  }

  /** How long it still lives, as far as is known. */
  get leftMs(): number {
    return this.#endsAtMs - this.#options.nowMs();
  }

  /** The notifications that came; none when none came within the time that the camera may wait. */
  async pull(pullTimeoutMs: number): Promise<SoapNode[]> {
    const { node } = await this.#send(
      {
        action: `${EVENTS}/PullPointSubscription/PullMessagesRequest`,
        body: `<PullMessages xmlns="${EVENTS}"><Timeout>${secondsOf(pullTimeoutMs)}</Timeout><MessageLimit>${MESSAGES_AT_ONCE}</MessageLimit></PullMessages>`,
      },
      pullTimeoutMs + DEADLINE_MS,
    );
    const response = node.at('pullMessagesResponse');
    if (!response.exists) {
      throw new NightjarError('unsupported', 'expected PullMessagesResponse, found another answer');
    }
    // Some move the end with every pull, some (Axis) do not and want a Renew.
    if (response.at('terminationTime').exists) this.#noteEnd(response, this.#endsAtMs);
    return response.all('notificationMessage').slice(0, MESSAGES_AT_ONCE * 10);
  }

  async renew(): Promise<void> {
    const { node } = await this.#send({
      action: `${NOTIFY_ACTIONS}/RenewRequest`,
      body: `<Renew xmlns="${NOTIFY}"><TerminationTime>${secondsOf(LIFETIME_MS)}</TerminationTime></Renew>`,
    });
    this.#noteEnd(node.at('renewResponse'));
  }

  /** Asks the camera to tell the state of all its properties again. */
  async synchronize(): Promise<void> {
    await this.#send({
      action: `${EVENTS}/PullPointSubscription/SetSynchronizationPointRequest`,
      body: `<SetSynchronizationPoint xmlns="${EVENTS}"/>`,
    });
  }

  /** Gives the camera its place back; takes its own signal, since the others have ended by then. */
  async unsubscribe(deadlineMs: number): Promise<void> {
    const request = {
      action: `${NOTIFY_ACTIONS}/UnsubscribeRequest`,
      body: `<Unsubscribe xmlns="${NOTIFY}"/>`,
    };
    await this.#options.cam.send(this.#addressed(request), { deadlineMs });
  }

  #send(
    request: Pick<OwnRequest, 'action' | 'body'>,
    deadlineMs = DEADLINE_MS,
  ): Promise<SoapAnswer> {
    const { cam, signal } = this.#options;
    return cam.send(this.#addressed(request), { deadlineMs, signal });
  }

  #addressed(request: Pick<OwnRequest, 'action' | 'body'>): OwnRequest {
    return { ...request, to: { place: this.#place }, header: this.#parameters };
  }

  /** By the camera's own two times: its clock may be years off, the span between them is not. */
  #noteEnd(response: SoapNode, notBeforeMs = 0): void {
    const { behaviour, nowMs } = this.#options;
    const current = Date.parse(response.at('currentTime').text ?? '');
    const termination = Date.parse(response.at('terminationTime').text ?? '');
    const span = termination - current;
    const credible = span > 0 && span <= LONGEST_LIFETIME_MS && behaviour.termination === 'camera';
    // One that promises more than was asked for is not taken at its word.
    const endsAtMs = nowMs() + (credible ? Math.min(span, LIFETIME_MS) : LIFETIME_MS);
    // A pull that says nothing credible moves no end.
    if (credible || notBeforeMs === 0) this.#endsAtMs = endsAtMs;
  }
}

function secondsOf(ms: number): string {
  return `PT${Math.round(ms / 1000)}S`;
}

/** Path and query on the host that was named: subscriptions name hosts that cannot be reached. */
function placeOf(address: string | undefined): string | undefined {
  if (address === undefined || address.length > 2048) return undefined;
  if (!URL.canParse(address, 'http://camera/')) return undefined;
  const url = new URL(address, 'http://camera/');
  return url.pathname + url.search;
}

/**
 * WS-Addressing 1.0, SOAP binding, 3.4: each reference parameter comes back as a header. Axis gives
 * all subscriptions one address and tells them apart by this alone. Namespaces are lost in our
 * parser, so the one parameter that is in use is given its own.
 */
function parameterXml([name, node]: readonly [string, SoapNode]): string {
  const { text } = node;
  if (text === undefined || text.length > 256 || !/^[\w-]{1,64}$/.test(name)) return '';
  const namespace = name === 'SubscriptionId' ? ' xmlns="http://www.axis.com/2009/event"' : '';
  return `<${name}${namespace} a:IsReferenceParameter="true">${escapeXml(text)}</${name}>`;
}
