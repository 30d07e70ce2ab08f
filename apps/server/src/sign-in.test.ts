// Signing in and out, cookies and what protects them, throttling, first run, and who stays in charge.

import { WebSocket } from 'ws';
import { eventually } from '#base/testing';
import type { AuditEntry, LoginAnswer, Me, Problem, User } from '#contract';
import { ADMIN_PASSWORD, TestServer } from './test-server.test-support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start({ NIGHTJAR_TRUSTED_PROXIES: '127.0.0.1' });
});

afterAll(() => server.stop());

interface CookieSession {
  readonly cookie: string;
  readonly csrfToken: string;
  readonly setCookie: string;
}

async function logInWithCookie(headers: Record<string, string> = {}): Promise<CookieSession> {
  const answer = await server.call<LoginAnswer>('POST', '/api/auth/login', {
    body: { username: 'ADMIN', password: ADMIN_PASSWORD },
    headers,
  });
  expect(answer.status).toBe(200);
  const setCookie = answer.headers.get('set-cookie') ?? '';
  return { cookie: setCookie.split(';')[0] ?? '', csrfToken: answer.body.csrfToken, setCookie };
}

const newUser = (username: string) => ({ username, password: ADMIN_PASSWORD, role: 'viewer' });

test('the cookie is out of the reach of scripts and other sites, and secure behind TLS', async () => {
  const plain = await logInWithCookie();
  expect(plain.setCookie).toMatch(/^nightjar_session=[\w-]{43};/);
  expect(plain.setCookie).toMatch(/Path=\/;.*HttpOnly; SameSite=Strict/);
  expect(plain.setCookie).not.toMatch(/Secure/);
  const behindTls = await logInWithCookie({ 'x-forwarded-proto': 'https' });
  expect(behindTls.setCookie).toMatch(/Secure/);
});

test('a cookie writes only with its CSRF token and from its own site', async () => {
  const { cookie, csrfToken } = await logInWithCookie();
  const add = (username: string, headers: Record<string, string>) =>
    server
      .call('POST', '/api/users', { body: newUser(username), headers: { cookie, ...headers } })
      .then(({ status }) => status);
  const me = await server.call<Me>('GET', '/api/auth/me', { headers: { cookie } });
  expect(me.body.csrfToken).toBe(csrfToken);

  expect(await add('without', {})).toBe(403);
  expect(await add('wrong', { 'x-csrf-token': `${csrfToken.slice(0, -1)}-` })).toBe(403);
  expect(
    await add('elsewhere', { 'x-csrf-token': csrfToken, origin: 'http://other.example' }),
  ).toBe(403);
  expect(await add('right', { 'x-csrf-token': csrfToken, origin: server.url })).toBe(201);
  const forged = await server.call('POST', '/api/auth/login', {
    body: { username: 'admin', password: ADMIN_PASSWORD },
    headers: { origin: 'http://other.example' },
  });
  expect(forged.status).toBe(403);
});

test('a WebSocket with a cookie opens from its own site only', async () => {
  const { cookie } = await logInWithCookie();
  const open = (origin: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/events/live`, {
        origin,
        headers: { cookie },
      });
      socket.on('open', () => (resolve('open'), socket.terminate()));
      socket.on('error', (error) => resolve(error.message));
    });
  expect(await open(server.url)).toBe('open');
  expect(await open('http://other.example')).toMatch(/403/);
});

test('signing out ends the session on the server, too', async () => {
  const { token } = await server.logIn();
  expect((await server.call('POST', '/api/auth/logout', { token })).status).toBe(204);
  expect((await server.call('GET', '/api/auth/me', { token })).status).toBe(401);
});

test('guessing is refused with growing delays, for the user guessed at alone', async () => {
  await server.admin('POST', '/api/users', newUser('victim'));
  const guess = (password: string) =>
    server.call<Problem>('POST', '/api/auth/login', {
      body: { username: 'victim', password },
      headers: { 'x-forwarded-for': '192.0.2.7' },
    });
  for (let count = 0; count < 5; count++) expect((await guess('not it')).status).toBe(401);
  const refused = await guess(ADMIN_PASSWORD);
  expect(refused.status).toBe(429);
  expect(refused.body.code).toBe('resource-exhausted');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  await server.logIn();

  const { body } = await server.admin<{ items: AuditEntry[] }>('GET', '/api/audit?limit=50');
  const failed = body.items.filter(
    (entry) => entry.actor === 'victim' && entry.outcome === 'failed',
  );
  expect(failed).toHaveLength(5);
  expect(failed[0]).toMatchObject({ action: 'session.login', address: '192.0.2.7' });
});

test('an unknown user and a wrong password are told apart by nothing', async () => {
  const answers = await Promise.all(
    ['admin', 'nobody at all'].map((username) =>
      server.call<Problem>('POST', '/api/auth/login', { body: { username, password: 'wrong' } }),
    ),
  );
  expect(answers[0]?.body).toEqual(answers[1]?.body);
});

test('a change of role or password ends sessions and open connections', async () => {
  const user = await server.admin<User>('POST', '/api/users', newUser('guard'));
  for (const patch of [
    { role: 'operator' },
    { password: 'another long watch' },
    { disabled: true },
  ]) {
    const password = 'role' in patch || 'password' in patch ? undefined : 'another long watch';
    const { token } = await server.logIn('guard', password ?? ADMIN_PASSWORD);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/events/live`, {
      headers: { authorization: `Bearer ${token}` },
    });
    let code: number | undefined;
    socket.on('close', (closeCode) => (code = closeCode));
    await new Promise((resolve) => socket.on('open', resolve));
    await server.admin('PATCH', `/api/users/${user.body.id}`, patch);
    expect((await server.call('GET', '/api/auth/me', { token })).status).toBe(401);
    await eventually('the connection to end', () => code === 4401, 5000);
  }
  const disabled = await server.call('POST', '/api/auth/login', {
    body: { username: 'guard', password: 'another long watch' },
  });
  expect(disabled.status).toBe(401);
});

test('the last administrator cannot be taken away', async () => {
  const { body } = await server.admin<{ items: User[] }>('GET', '/api/users');
  const admin = body.items.find((user) => user.username === 'admin');
  const path = `/api/users/${admin?.id ?? ''}`;
  for (const attempt of [
    server.admin<Problem>('DELETE', path),
    server.admin<Problem>('PATCH', path, { role: 'viewer' }),
    server.admin<Problem>('PATCH', path, { disabled: true }),
  ]) {
    const answer = await attempt;
    expect([answer.status, answer.body.code]).toEqual([409, 'failed-precondition']);
  }
});

test('an empty installation hands out one link, which works once', async () => {
  const fresh = await TestServer.start({ NIGHTJAR_ADMIN_PASSWORD: '' });
  try {
    const { setupToken } = fresh.running;
    expect((await fresh.call('GET', '/api/setup')).body).toEqual({ needed: true });
    const setUp = (token: string) =>
      fresh.call<LoginAnswer>('POST', '/api/setup', { body: { token, password: ADMIN_PASSWORD } });
    expect((await setUp('not the token')).status).toBe(403);
    const answer = await setUp(setupToken ?? '');
    expect(answer.status).toBe(200);
    expect(answer.body.user).toMatchObject({ username: 'admin', role: 'admin' });
    expect((await setUp(setupToken ?? '')).status).toBe(409);
    expect((await fresh.call('GET', '/api/setup')).body).toEqual({ needed: false });
    await fresh.restart();
    expect(fresh.running.setupToken).toBeUndefined();
  } finally {
    await fresh.stop();
  }
});
