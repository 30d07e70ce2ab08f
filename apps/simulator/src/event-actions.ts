// The event service's requests, answered: create, pull, renew, ask again, give back.

import { envelope, fault, secondsOf, type OnvifAnswer, type SoapRequest } from './soap.js';
import type { OnvifEvents } from './onvif-events.js';

export interface EventCall {
  /** Path and query of the request. */
  readonly place: string;
  /** Where the event service is, as the camera says it. */
  readonly serviceUrl: string;
}

export type EventAction = (
  request: SoapRequest,
  call: EventCall,
) => Promise<OnvifAnswer> | OnvifAnswer;

/** `axis`: all subscriptions have one address; a header tells them apart. */
export type ReferenceStyle = 'address' | 'axis';

export function eventActions(
  events: OnvifEvents,
  style: () => ReferenceStyle,
): Record<string, EventAction> {
  const idOf = (request: SoapRequest, { place }: EventCall): string =>
    (style() === 'axis' ? request.text('SubscriptionId') : /[?&]id=(\d+)/.exec(place)?.[1]) ?? '';
  return {
    GetEventProperties: () => ok(PROPERTIES),
    CreatePullPointSubscription: (request, { serviceUrl }) => {
      const seconds = secondsOf(request.text('InitialTerminationTime'));
      const created = events.create(Number.isFinite(seconds) ? seconds * 1000 : undefined);
      if (created === undefined)
        return refused('wsnt:SubscribeCreationFailedFault', 'no more room');
      const reference =
        style() === 'axis'
          ? `<wsa5:Address>${serviceUrl}</wsa5:Address><wsa5:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">${created.id}</dom0:SubscriptionId></wsa5:ReferenceParameters>`
          : `<wsa5:Address>${serviceUrl}?id=${created.id}</wsa5:Address>`;
      return ok(
        `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>${reference}</tev:SubscriptionReference>${created.times}</tev:CreatePullPointSubscriptionResponse>`,
      );
    },
    PullMessages: async (request, call) => {
      const seconds = secondsOf(request.text('Timeout'));
      const answer = await events.pull(idOf(request, call), Math.min(seconds, 60) * 1000);
      if (answer.cut === true) return { status: 0, xml: '' };
      if (answer.unknown === true) return gone();
      return ok(`<tev:PullMessagesResponse>${answer.xml ?? ''}</tev:PullMessagesResponse>`);
    },
    Renew: (request, call) => {
      const times = events.renew(idOf(request, call));
      return times === undefined ? gone() : ok(`<wsnt:RenewResponse>${times}</wsnt:RenewResponse>`);
    },
    Unsubscribe: (request, call) =>
      events.unsubscribe(idOf(request, call)) ? ok('<wsnt:UnsubscribeResponse/>') : gone(),
    SetSynchronizationPoint: (request, call) =>
      events.synchronize(idOf(request, call))
        ? ok('<tev:SetSynchronizationPointResponse/>')
        : refused('ter:ActionNotSupported', 'Optional action not implemented'),
  };
}

const PROPERTIES =
  '<tev:GetEventPropertiesResponse><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet><tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"><tt:MessageDescription IsProperty="true"><tt:Source><tt:SimpleItemDescription Name="VideoSourceConfigurationToken" Type="tt:ReferenceToken"/></tt:Source><tt:Data><tt:SimpleItemDescription Name="IsMotion" Type="xs:boolean"/></tt:Data></tt:MessageDescription></Motion></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet></tev:GetEventPropertiesResponse>';

function ok(body: string): OnvifAnswer {
  return { status: 200, xml: envelope(body) };
}

function refused(code: string, reason: string): OnvifAnswer {
  return { status: 400, xml: fault([code], reason) };
}

function gone(): OnvifAnswer {
  return refused('wsrf-rw:ResourceUnknownFault', 'The pull point is not known');
}
