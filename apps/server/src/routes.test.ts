// Every route of the contract is served, nothing else is, and each lets in exactly its roles.

import { WebSocket } from 'ws';
import { findRoute } from './route-table.js';
import { ROUTES, type Role, type Route } from '#contract';
import { TestServer } from './test-server.test-support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});

afterAll(() => server.stop());

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
}

function servedRoutes(): string[] {
  const web = server.running.app.getHttpAdapter().getInstance() as unknown as {
    router: { stack: readonly Layer[] };
  };
  const http = web.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
  );
  const sockets = server.running.parts.sockets.paths.map((path) => `WS ${path}`);
  return [...http, ...sockets].filter((route) => !route.includes(' /internal/')).sort();
}

test('the routes that are served are the routes of the contract', () => {
  expect(servedRoutes()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
  expect(findRoute('GET', '/api/nothing')).toBeUndefined();
});

const CALLERS = ['anonymous', 'viewer', 'operator', 'admin'] as const;
const RANK = { anonymous: 0, viewer: 1, operator: 2, admin: 3, public: 0 } as const;

function expected(route: Route, caller: (typeof CALLERS)[number]): 401 | 403 | 'allowed' {
  if (RANK[caller] >= RANK[route.role]) return 'allowed';
  return caller === 'anonymous' ? 401 : 403;
}

async function found(
  route: Route,
  caller: (typeof CALLERS)[number],
): Promise<401 | 403 | 'allowed'> {
  const path = route.path.replaceAll(/:\w+/g, '00000000-0000-4000-8000-000000000000');
  // Signing out would end the session that the next row needs.
  const token =
    caller === 'anonymous'
      ? undefined
      : route.path === '/api/auth/logout'
        ? (await server.logIn(caller)).token
        : await server.tokenOf(caller satisfies Role);
  const status =
    route.method === 'WS'
      ? await upgradeStatus(path, token)
      : (
          await server.call(route.method, path, {
            ...(token === undefined ? {} : { token }),
            ...(route.method === 'GET' ? {} : { body: {} }),
          })
        ).status;
  // Signing in with nothing is refused by its own rules, and so are empty bodies.
  const isRefusal = status === 401 || status === 403;
  return isRefusal && route.role !== 'public' ? status : 'allowed';
}

function upgradeStatus(path: string, token: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}${path}`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    );
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      socket.terminate();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

test.each(CALLERS)('%s enters where the contract says and nowhere else', async (caller) => {
  await server.tokenOf('viewer');
  await server.tokenOf('operator');
  for (const route of ROUTES as readonly Route[]) {
    const name = `${caller} ${route.method} ${route.path}`;
    expect(`${name}: ${await found(route, caller)}`).toBe(`${name}: ${expected(route, caller)}`);
  }
});

test('the doors keep to themselves', async () => {
  const announce = { role: 'recorder', id: 'r', url: 'http://127.0.0.1:1' };
  const outside = await server.admin('POST', '/internal/announce', announce);
  expect(outside.status).toBe(404);
  const unknown = await fetch(`${server.internalUrl}/internal/announce`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(announce),
  });
  expect(unknown.status).toBe(401);
  expect((await fetch(`${server.internalUrl}/api/setup`)).status).toBe(404);
});
