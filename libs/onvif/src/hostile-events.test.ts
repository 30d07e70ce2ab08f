// Cameras whose event service answers anything at all: no motion out of nothing, a clear word, no
// growth, and an end when we want one.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog, systemClock, type Clock } from '#base';
import { eventually, FakeClock } from '#base/testing';
import { EventSource } from './index.js';

const servers: Server[] = [];
const sources: EventSource[] = [];

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const envelope = (body: string): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`;

const SERVICES = envelope(
  '<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver10/device/wsdl</Namespace><XAddr>http://192.0.2.1/device</XAddr></Service><Service><Namespace>http://www.onvif.org/ver10/events/wsdl</Namespace><XAddr>http://192.0.2.1/events</XAddr></Service></GetServicesResponse>',
);
const INFORMATION = envelope(
  '<GetDeviceInformationResponse><Manufacturer>Evil</Manufacturer><Model>1</Model></GetDeviceInformationResponse>',
);
const SUBSCRIPTION = envelope(
  '<CreatePullPointSubscriptionResponse><SubscriptionReference><Address>http://192.0.2.1/pull?1</Address></SubscriptionReference><CurrentTime>2026-01-01T00:00:00Z</CurrentTime><TerminationTime>2026-01-01T00:02:00Z</TerminationTime></CreatePullPointSubscriptionResponse>',
);

/** What is answered to each request, undefined cuts the connection; the rest is a web page. */
type Answers = Readonly<Record<string, string | (() => string | undefined)>>;

const GOOD: Answers = {
  GetServices: SERVICES,
  GetDeviceInformation: INFORMATION,
  CreatePullPointSubscription: SUBSCRIPTION,
};

async function listen(answers: Answers, clock: Clock = systemClock) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      const action = /<s:Body[^>]*>\s*<(\w+)/.exec(text)?.[1] ?? '';
      asked.push(action);
      const known = answers[action] ?? '<html>no</html>';
      const answer = typeof known === 'function' ? known() : known;
      if (answer === undefined) request.socket.destroy();
      else response.end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  const motion: boolean[] = [];
  const source = new EventSource({
    address: { url: `http://127.0.0.1:${port}/onvif/device_service` },
    clock,
    log: silentLog(),
    onMotion: (active) => motion.push(active),
    onState: () => undefined,
  });
  sources.push(source);
  return { source, motion, asked };
}

function pulled(messages: string): string {
  return envelope(`<PullMessagesResponse>${messages}</PullMessagesResponse>`);
}

function motionOf(rule: string, value: string): string {
  return `<NotificationMessage><Topic>tns1:RuleEngine/CellMotionDetector/Motion</Topic><Message><Message UtcTime="0000-00-00T00:00:00Z"><Source><SimpleItem Name="Rule" Value="${rule}"/></Source><Data><SimpleItem Name="IsMotion" Value="${value}"/></Data></Message></Message></NotificationMessage>`;
}

const REFUSED: Readonly<Record<string, string>> = {
  nothing: '',
  html: '<html><body>Login</body></html>',
  'cut XML': '<s:Envelope><s:Body><PullMessagesResponse><Notif',
  'an entity bomb': `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;">]>${pulled('&c;')}`,
  'more than a megabyte': pulled(' '.repeat(1_100_000)),
  'another answer': envelope('<RenewResponse/>'),
  'a fault': envelope(
    '<Fault><Code><Value>s:Receiver</Value></Code><Reason><Text>no such pull point</Text></Reason></Fault>',
  ),
};

test.each(Object.entries(REFUSED))('a pull that is answered with %s', async (name, text) => {
  const { source, motion } = await listen({ ...GOOD, PullMessages: text });
  await eventually('it is said', () => source.state === 'failed');
  expect(source.message).toMatch(/^its events cannot be had: \w/);
  expect(source.message?.length).toBeLessThan(400);
  if (name === 'a fault') expect(source.message).toContain('no such pull point');
  expect(motion).toEqual([]);
});

test.each(Object.entries(REFUSED))(
  'a subscription that is answered with %s',
  async (_name, text) => {
    const { source } = await listen({ ...GOOD, CreatePullPointSubscription: text });
    await eventually('it is said', () => source.state === 'failed');
    expect(source.message).toMatch(/^its events cannot be had: \w/);
  },
);

test('an address of a subscription that leads elsewhere is asked at the host that was named', async () => {
  for (const address of ['http://[::1/%%', 'file:///etc/passwd', '', 'x'.repeat(5000)]) {
    const text = SUBSCRIPTION.replace('http://192.0.2.1/pull?1', address);
    const { source } = await listen({ ...GOOD, CreatePullPointSubscription: text });
    await eventually('it is settled', () => source.state !== 'starting');
    // Either it is refused, or the path is asked here: nothing else was listening.
    expect(['ok', 'failed']).toContain(source.state);
  }
});

test('paths with two slashes in front are asked as they are, at the host that was named', async () => {
  const paths: string[] = [];
  const { source } = await listen({
    ...GOOD,
    GetServices: SERVICES.replace('192.0.2.1/events', '192.0.2.1//onvif/events'),
    CreatePullPointSubscription: SUBSCRIPTION.replace('192.0.2.1/pull', '192.0.2.1//onvif/pull'),
    PullMessages: pulled(motionOf('a', 'true')),
  });
  servers.at(-1)?.on('request', ({ url }: IncomingMessage) => paths.push(url ?? ''));
  await eventually('movement', () => source.counters.motion > 0);
  expect(paths).toContain('//onvif/events');
  expect(paths).toContain('//onvif/pull?1');
});

test('a camera that cuts every pull short is not believed to be quiet', async () => {
  const clock = new FakeClock(0);
  let cuts = true;
  const { source } = await listen(
    {
      ...GOOD,
      PullMessages: () => {
        clock.advance(1000);
        return cuts ? undefined : pulled('');
      },
    },
    clock,
  );
  await eventually('it is said', () => source.state === 'failed');
  expect(source.message).toMatch(/^its events cannot be had: the camera does not answer/);
  const { subscriptions } = source.counters;
  await eventually('another subscription', () => {
    clock.advance(1000);
    return source.counters.subscriptions > subscriptions;
  });
  expect(source.state).toBe('failed');
  cuts = false;
  await eventually('a pull that is answered', () => {
    clock.advance(1000);
    return source.state === 'ok';
  });
});

const NOISE: Readonly<Record<string, string>> = {
  'a topic that is none':
    '<NotificationMessage><Topic>tns1:Device/Trigger/Relay</Topic></NotificationMessage>',
  'no topic': '<NotificationMessage><Message/></NotificationMessage>',
  'texts where elements belong': '<NotificationMessage>motion</NotificationMessage>',
  'a value that is no truth': motionOf('a', 'maybe'),
  'another name of the value': motionOf('a', 'true').replace('IsMotion', 'IsTamper'),
  'a value without an element': motionOf('a', 'true')
    .replace('<Data>', '<Fata>')
    .replace('</Data>', '</Fata>'),
  'deep nesting': '<a>'.repeat(20_000) + '</a>'.repeat(20_000),
  'a polluting name': '<__proto__><polluted>1</polluted></__proto__>',
  'a topic of its own length': `<NotificationMessage><Topic>${'tns1:'.repeat(20_000)}</Topic></NotificationMessage>`,
};

test.each(Object.entries(NOISE))(
  '%s moves nothing, and what follows is heard',
  async (_name, text) => {
    let turn = 0;
    const { source, motion } = await listen({
      ...GOOD,
      PullMessages: () => pulled(turn++ === 0 ? text : motionOf('a', 'true')),
    });
    await eventually('the alarm', () => motion.length === 1);
    expect(source.state).toBe('ok');
    expect(motion).toEqual([true]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  },
);

test('a camera that invents alarms without end fills no memory and never blocks', async () => {
  let rule = 0;
  const { source, motion } = await listen({
    ...GOOD,
    PullMessages: () =>
      pulled(Array.from({ length: 1000 }, () => motionOf(`rule ${rule++}`, 'true')).join('')),
  });
  await eventually('ten thousand alarms', () => source.counters.motion >= 10_000, 30_000);
  expect(motion).toEqual([true]);
  await source.close();
}, 60_000);

test('mutations of a real answer never crash, and never end the loop', async () => {
  const real = pulled(motionOf('a', 'true'));
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
    return state % below;
  };
  const { source, asked } = await listen({
    ...GOOD,
    // Cut or misspelt within the notification: most are still SOAP.
    PullMessages: () => {
      const at = random(real.length);
      return real.slice(0, at) + '<>&"x/='.charAt(random(7)) + real.slice(at + random(3));
    },
  });
  const pulls = () => asked.filter((action) => action === 'PullMessages').length;
  await eventually('pulls, whatever came of them', () => pulls() >= 5, 40_000);
  await source.close();
}, 60_000);
