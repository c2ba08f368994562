import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WRONG_TRIES_MAX } from '../../src/http/admin.ts';
import { adminToken, asAdmin, type HttpHub, startHttp } from '../support/http-hub.ts';

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const board = `/queues`;
let hub: HttpHub;

const start = () =>
  startHttp({
    board: (request, response) => {
      response.json({ reached: request.method });
    },
    journal: { getEvent: async () => undefined },
  });

before(async () => {
  hub = await start();
});
after(() => hub.server.close(1_000));

const send = (path: string, init: RequestInit = {}) =>
  fetch(`${hub.url}${path}`, { redirect: 'manual', ...init });

function signIn(fields: Record<string, string>, headers: Record<string, string> = sameOrigin) {
  return send('/sign-in', { method: 'POST', body: new URLSearchParams(fields), headers });
}

async function sessionCookie(): Promise<string> {
  const response = await signIn({ token: adminToken });
  return String(response.headers.get('set-cookie')).split(';')[0] ?? '';
}

test('a program without a token is 401, and a browser is sent to the sign-in page', async () => {
  for (const path of [board, '/events/x', '/deliveries/x']) {
    const refused = await send(path);
    assert.equal(refused.status, 401, path);
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="crossdock"');
    const redirected = await send(path, { headers: asBrowser });
    assert.equal(redirected.status, 302, path);
    const to = `/sign-in?next=${encodeURIComponent(path)}`;
    assert.equal(redirected.headers.get('location'), to);
  }
});

test('the admin token opens everything, and a wrong one nothing', async () => {
  assert.equal((await send(board, { headers: asAdmin })).status, 200);
  const wrong = { authorization: `Bearer ${adminToken}x` };
  assert.equal((await send(board, { headers: wrong })).status, 401);
});

test('signing in gives a cookie that scripts cannot read and other sites cannot send', async () => {
  const response = await signIn({ token: adminToken, next: '/events/abc?x=1' });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get('location'), '/events/abc?x=1');
  const cookie = String(response.headers.get('set-cookie'));
  assert.match(cookie, /^crossdock_session=\d+\.[\w-]{43};/);
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  assert.doesNotMatch(cookie, /Secure/);
  assert.ok(!cookie.includes(adminToken));
  const signedIn = await send(board, { headers: { cookie: cookie.split(';')[0] ?? '' } });
  assert.equal(signedIn.status, 200);
});

test('behind a proxy that speaks TLS the cookie is Secure', async () => {
  const headers = { ...sameOrigin, 'x-forwarded-proto': 'https' };
  const response = await signIn({ token: adminToken }, headers);
  assert.match(String(response.headers.get('set-cookie')), /Secure/);
});

test('signing in sends nobody to another site', async () => {
  for (const next of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'evil',
    '/a\nb',
  ]) {
    const response = await signIn({ token: adminToken, next });
    assert.equal(response.headers.get('location'), '/queues', next);
  }
});

test('a cookie that was changed or made with another token is worth nothing', async () => {
  const cookie = await sessionCookie();
  const forged = [
    cookie.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)),
    `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'E' : 'A'}`,
    'crossdock_session=',
    'crossdock_session=9999999999999.',
  ];
  for (const one of forged) {
    assert.equal((await send(board, { headers: { cookie: one } })).status, 401, one);
  }
});

test('signing out takes the cookie away', async () => {
  const response = await send('/sign-out', { method: 'POST', headers: sameOrigin });
  assert.equal(response.status, 303);
  assert.match(String(response.headers.get('set-cookie')), /^crossdock_session=;/);
});

test('what another site can make a browser send is refused', async () => {
  const cookie = await sessionCookie();
  const json = { 'content-type': 'application/json' };
  const refused: Record<string, string>[] = [
    {},
    json,
    { ...json, 'sec-fetch-site': 'cross-site' },
    { ...json, 'sec-fetch-site': 'same-site' },
    { ...json, 'sec-fetch-site': 'none' },
    { ...json, origin: 'https://evil.example' },
    { ...json, origin: 'null' },
    { ...sameOrigin, 'content-type': 'text/plain' },
    { ...sameOrigin, 'content-type': 'application/x-www-form-urlencoded' },
    { ...sameOrigin, 'content-type': 'multipart/form-data; boundary=x' },
  ];
  for (const headers of refused) {
    const init = { method: 'PUT', body: '{}', headers: { cookie, ...headers } };
    const response = await send(board, init);
    assert.equal(response.status, 403, JSON.stringify(headers));
    assert.match(await response.text(), /cross-site-request/);
  }
});

test('the hub’s own pages and programs with the token get through', async () => {
  const cookie = await sessionCookie();
  const json = { 'content-type': 'application/json' };
  const allowed: Record<string, string>[] = [
    { ...json, cookie, ...sameOrigin },
    { ...json, cookie, origin: hub.url },
    { ...json, ...asAdmin },
  ];
  for (const headers of allowed) {
    const response = await send(board, { method: 'PUT', body: '{}', headers });
    assert.equal(response.status, 200, JSON.stringify(headers));
  }
  const noBody = await send(board, { method: 'PUT', headers: { cookie, ...sameOrigin } });
  assert.equal(noBody.status, 200);
});

test('another site cannot sign a browser in', async () => {
  const response = await signIn({ token: adminToken }, { 'sec-fetch-site': 'cross-site' });
  assert.equal(response.status, 403);
});

test('a program may sign in with JSON', async () => {
  const response = await send('/sign-in', {
    method: 'POST',
    body: JSON.stringify({ token: adminToken }),
    headers: { ...sameOrigin, 'content-type': 'application/json' },
  });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { next: '/queues' });
});

test('the sign-in page runs one script of our own and escapes where it leads', async () => {
  const response = await send('/sign-in?next=/%22%3E%3Cscript%3E', { headers: asBrowser });
  const page = await response.text();
  assert.equal(page.match(/<script/g)?.length, 1);
  assert.match(page, /<script src="\/assets\/sign-in\.js" defer>/);
  const policy = String(response.headers.get('content-security-policy'));
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|upgrade-insecure/);
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const script = await send('/assets/sign-in.js');
  assert.match(String(script.headers.get('content-type')), /javascript/);
  assert.match(await script.text(), /location\.hash/);
});

test('Bull Board’s pages may not be framed and may run no inline script', async () => {
  const response = await send(board, { headers: asAdmin });
  const policy = String(response.headers.get('content-security-policy'));
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
});

test('after twenty wrong tokens the address is refused, the right token included', async (context) => {
  const attacked = await start();
  context.after(() => attacked.server.close(1_000));
  const tryToken = (token: string) =>
    fetch(`${attacked.url}/queues`, { headers: { authorization: `Bearer ${token}` } });
  for (let tries = 0; tries < WRONG_TRIES_MAX; tries += 1) {
    assert.equal((await tryToken(`wrong-${tries}`)).status, 401);
  }
  const refused = await tryToken(adminToken);
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 60);
  const page = await fetch(`${attacked.url}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ token: adminToken }),
    headers: sameOrigin,
  });
  assert.equal(page.status, 429);
  assert.equal(page.headers.get('set-cookie'), null);
});

test('right tokens are never counted, however many come at once', async () => {
  const responses = await Promise.all(
    Array.from({ length: 3 * WRONG_TRIES_MAX }, () => send(board, { headers: asAdmin })),
  );
  assert.ok(responses.every(({ status }) => status === 200));
});
