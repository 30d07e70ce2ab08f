// Cameras that answer anything at all: an error with the right code, in time, and nothing worse.

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isErrorCode, NightjarError } from '#base';
import { OnvifCamera } from './index.js';

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function serve(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/onvif/device_service`;
}

async function codeOf(url: string, deadlineMs = 5000): Promise<string> {
  try {
    const camera = await OnvifCamera.connect({ url, username: 'u', password: 'p', deadlineMs });
    camera.close();
    return 'connected';
  } catch (error) {
    expect(error).toBeInstanceOf(NightjarError);
    return (error as NightjarError).code;
  }
}

const envelope = (body: string): string =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`;

const TEXTS: Readonly<Record<string, string>> = {
  nothing: '',
  html: '<!DOCTYPE html><html><body><h1>Router login</h1></body></html>',
  'cut XML': '<s:Envelope><s:Body><GetSystemDateAndTimeResponse>',
  'binary rubbish': '\u0000\u0001\ufffd<<<>>>&&&;',
  'other XML': '<rss><channel/></rss>',
  'an empty body': '<s:Envelope><s:Body/></s:Envelope>',
  'another answer': envelope('<GetHostnameResponse/>'),
  'an unknown entity': envelope('&bomb;'),
  'an entity bomb': `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;">]>${envelope('&c;')}`,
  'deep nesting': envelope('<a>'.repeat(20_000) + '</a>'.repeat(20_000)),
  'a polluting name': envelope('<__proto__><polluted>1</polluted></__proto__>'),
  'an answer to another question': envelope(
    '<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver10/device/wsdl</Namespace><XAddr>http://x/y</XAddr></Service><Service><Namespace>x</Namespace></Service></GetServicesResponse>',
  ),
  'a half service list': envelope(
    '<GetServicesResponse><Service><Namespace>x</Namespace></Service></GetServicesResponse>',
  ),
  'broken URLs': envelope(
    '<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver10/media/wsdl</Namespace><XAddr>http://[::1/%%</XAddr></Service><Service><Namespace>http://www.onvif.org</Namespace><XAddr/></Service></GetServicesResponse>',
  ),
};

test.each(Object.entries(TEXTS))('%s is not an ONVIF device', async (_name, text) => {
  const url = await serve((_request, response) => response.end(text));
  expect(await codeOf(url)).toBe('unsupported');
  expect(Object.prototype).not.toHaveProperty('polluted');
});

test('a body that never ends is cut off', async () => {
  const url = await serve((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
    };
    response.on('drain', more);
    more();
  });
  expect(await codeOf(url)).toBe('resource-exhausted');
});

test('a body that drips is given up at the deadline', async () => {
  const url = await serve((_request, response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  expect(await codeOf(url, 300)).toBe('timeout');
});

test('silence is given up at the deadline', async () => {
  const url = await serve(() => undefined);
  expect(await codeOf(url, 200)).toBe('timeout');
});

test('namespaces made to tie up a pattern are refused at once', async () => {
  const url = await serve((_request, response) => response.end('xmlns'.repeat(200_000)));
  expect(await codeOf(url)).toBe('unsupported');
});

test('nobody at home', async () => {
  const url = await serve(() => undefined);
  servers.splice(0).forEach((server) => server.close());
  expect(await codeOf(url)).toBe('unavailable');
});

test('a connection cut in the middle of the body', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('<s:Envelope>', () => response.destroy());
  });
  expect(await codeOf(url)).toBe('unavailable');
});

test('bytes that are not HTTP', async () => {
  const server = createTcpServer((socket) => socket.on('data', () => socket.end('220 ftp\r\n')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  expect(await codeOf(`http://127.0.0.1:${port}/`)).toBe('unavailable');
});

test.each([
  [401, 'unauthenticated'],
  [403, 'permission-denied'],
  [404, 'unsupported'],
])('HTTP %i', async (status, code) => {
  const url = await serve((_request, response) => response.writeHead(status).end());
  expect(await codeOf(url)).toBe(code);
});

test('challenges that cannot be answered', async () => {
  for (const challenge of ['Digest', 'Digest realm=', 'Digest algorithm="no-such", nonce="x"']) {
    const url = await serve((_request, response) =>
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end(),
    );
    expect(isErrorCode(await codeOf(url))).toBe(true);
  }
});

test('a redirect is not followed', async () => {
  let asked = 0;
  const target = await serve((_request, response) => {
    asked += 1;
    response.end();
  });
  const url = await serve((_request, response) =>
    response.writeHead(302, { Location: target }).end(),
  );
  expect(await codeOf(url)).not.toBe('connected');
  expect(asked).toBe(0);
});

test('mutations of a real answer never crash', async () => {
  const real = envelope(
    '<tds:GetServicesResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace><tds:XAddr>http://127.0.0.1/m</tds:XAddr></tds:Service><tds:Service><tds:Namespace>http://www.onvif.org/ver20/ptz/wsdl</tds:Namespace><tds:XAddr>http://127.0.0.1/p</tds:XAddr></tds:Service></tds:GetServicesResponse>',
  );
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
    return state % below;
  };
  let text = real;
  const url = await serve((_request, response) => response.end(text));
  for (let round = 0; round < 150; round++) {
    const at = random(real.length);
    const cut = random(12);
    text = real.slice(0, at) + '<>&"x/'.charAt(random(6)) + real.slice(at + cut);
    expect(isErrorCode(await codeOf(url))).toBe(true);
  }
});

test('a URL that is not HTTP is refused', async () => {
  expect(await codeOf('file:///etc/passwd')).toBe('invalid-argument');
  expect(await codeOf('nonsense')).toBe('invalid-argument');
});

const PROFILES =
  '<GetProfilesResponse><Profiles token="a"><Name>a</Name></Profiles></GetProfilesResponse>';

test('a service whose path reads like another host is asked at the host that was named', async () => {
  const visits: string[] = [];
  const other = await serve((request, response) => {
    visits.push(request.url ?? '');
    response.end(envelope(PROFILES));
  });
  const elsewhere = `http://192.0.2.1//${new URL(other).host}/media`;
  const asked: string[] = [];
  const url = await serve((request, response) => {
    let text = '';
    request.on('data', (piece) => (text += String(piece)));
    request.on('end', () => {
      const action = /<s:Body[^>]*>\s*<(\w+)/.exec(text)?.[1] ?? '';
      asked.push(`${action} ${request.url}`);
      const answers: Readonly<Record<string, string>> = {
        GetServices: `<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver10/device/wsdl</Namespace><XAddr>http://192.0.2.1/device</XAddr></Service><Service><Namespace>http://www.onvif.org/ver10/media/wsdl</Namespace><XAddr>${elsewhere}</XAddr></Service></GetServicesResponse>`,
        GetDeviceInformation:
          '<GetDeviceInformationResponse><Model>Evil</Model></GetDeviceInformationResponse>',
        GetProfiles: PROFILES,
      };
      response.end(envelope(answers[action] ?? ''));
    });
  });
  expect(await codeOf(url)).toBe('connected');
  expect(visits).toEqual([]);
  expect(asked).toContain(`GetProfiles //${new URL(other).host}/media`);
});
