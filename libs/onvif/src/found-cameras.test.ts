// Answers to a probe of the network: from cameras, and from whoever else is there.

import { FoundCameras } from './found-cameras.js';

function match(o: { endpoint?: string; urls?: string; scopes?: string } = {}): string {
  const { endpoint = 'urn:uuid:1', urls = 'http://10.0.0.5/onvif/device_service', scopes = '' } = o;
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body><d:ProbeMatches><d:ProbeMatch>' +
    `<a:EndpointReference xmlns:a="x"><a:Address>${endpoint}</a:Address></a:EndpointReference><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${urls}</d:XAddrs>` +
    '</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>'
  );
}

function heard(...answers: [xml: string | Uint8Array, address: string][]) {
  const found = new FoundCameras();
  for (const [xml, address] of answers) found.hear(Buffer.from(xml), address);
  return found.list();
}

test('a camera is told with its name, at the address that it answered from', () => {
  const scopes = 'onvif://www.onvif.org/name/Front%20Gate onvif://www.onvif.org/hardware/X1';
  const urls = 'http://192.168.9.9/onvif/device_service http://10.0.0.5/onvif/device_service';
  expect(heard([match({ scopes, urls }), '10.0.0.5'])).toEqual([
    {
      url: 'http://10.0.0.5/onvif/device_service',
      address: '10.0.0.5',
      name: 'Front Gate',
      hardware: 'X1',
    },
  ]);
});

test('a camera that answers twice, or on two of its networks, is one', () => {
  const urls = 'http://10.0.0.5/onvif/device_service http://10.1.0.5/onvif/device_service';
  const found = heard(
    [match({ urls }), '10.0.0.5'],
    [match({ urls }), '10.1.0.5'],
    [match(), '10.0.0.5'],
  );
  expect(found.map(({ address }) => address)).toEqual(['10.0.0.5']);
});

test('cameras whose maker gave them all one endpoint are several', () => {
  const answers = [5, 6, 7].map((at): [string, string] => [
    match({ urls: `http://10.0.0.${at}/onvif/device_service` }),
    `10.0.0.${at}`,
  ]);
  expect(heard(...answers)).toHaveLength(3);
});

test.each([
  ['nothing', ''],
  ['no XML', '\u0000\u0001 rubbish <<<'],
  ['other namespaces', match().replaceAll('d:', 'weird:').replace('ProbeMatches', 'Hello')],
  ['a bye', match().replaceAll('ProbeMatch', 'Bye')],
  ['no address', match({ urls: '' })],
  [
    'addresses that are none',
    match({ urls: 'file:///etc/passwd javascript:alert(1) http://[::1' }),
  ],
  [
    'an entity bomb',
    `<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY c "&a;&a;">]>${match({ endpoint: '&c;' })}`,
  ],
  ['more than a datagram holds', match({ scopes: 'x '.repeat(20_000) })],
  ['deep nesting', '<a>'.repeat(4000) + '</a>'.repeat(4000)],
  ['a polluting name', match().replaceAll('Scopes', '__proto__').replace('XAddrs', 'constructor')],
])('%s is passed over, and a camera beside it is found', (_name, xml) => {
  expect(heard([xml, '10.0.0.66'], [match(), '10.0.0.5'])).toEqual([
    { url: 'http://10.0.0.5/onvif/device_service', address: '10.0.0.5' },
  ]);
  expect(Object.prototype).not.toHaveProperty('polluted');
});

test('somebody who answers without end fills no memory', () => {
  const found = new FoundCameras();
  for (let at = 0; at < 5000; at++) {
    const urls = Array.from({ length: 40 }, (_, url) => `http://h${at}/${url}`).join(' ');
    found.hear(Buffer.from(match({ endpoint: `urn:uuid:${at}`, urls })), '10.0.0.66');
  }
  expect(found.list()).toHaveLength(2000);
});

test('mutations of a real answer are cameras or nothing', () => {
  const real = Buffer.from(match({ scopes: 'onvif://www.onvif.org/name/A%20B' }));
  let state = 3;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
    return state % below;
  };
  for (let round = 0; round < 1500; round++) {
    const bytes = Buffer.from(real);
    for (let change = 0; change < 1 + random(4); change++)
      bytes[random(bytes.length)] = random(256);
    for (const { url } of heard([bytes, '10.0.0.66'])) expect(url).toMatch(/^https?:\/\//i);
  }
});
