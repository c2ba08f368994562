import assert from 'node:assert/strict';
import { test } from 'node:test';
import axios from 'axios';
import { createLog } from '../../src/config/log.ts';

const canary = 'canary-3f9a1c';

/** What one call of the log writes, raw and parsed. */
function logged(fields: object, options: { level?: string; pretty?: boolean } = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    role: 'intake',
    to: { write: (line) => lines.push(line) },
    ...options,
  });
  log.info(fields, 'something happened');
  const raw = lines.join('');
  return { raw, parsed: options.pretty === true || raw === '' ? {} : JSON.parse(raw) };
}

test('a line says when, how bad, who and what', () => {
  const { parsed } = logged({ eventId: 'e1', bytes: 3, at: new Date(0) });
  assert.equal(parsed.level, 'info');
  assert.equal(parsed.role, 'intake');
  assert.equal(parsed.pid, process.pid);
  assert.equal(parsed.msg, 'something happened');
  assert.equal(parsed.eventId, 'e1');
  assert.equal(parsed.bytes, 3);
  assert.equal(parsed.at, '1970-01-01T00:00:00.000Z');
  assert.match(parsed.time, /^\d{4}-\d\d-\d\dT/);
});

test('a line below the level is not written', () => {
  assert.equal(logged({}, { level: 'warn' }).raw, '');
});

test('a secret in any slot, at any depth, is redacted', () => {
  const slots = [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-shopify-hmac-sha256',
    'x-hub-signature-256',
    'token',
    'adminToken',
    'accessToken',
    'secret',
    'client_secret',
    'secrets',
    'password',
    'apiKey',
    'x-api-key',
  ];
  for (const slot of slots) {
    const { raw } = logged({
      [slot]: canary,
      headers: { [slot]: [canary] },
      list: [{ [slot]: canary }],
    });
    assert.ok(!raw.includes(canary), slot);
    assert.ok(raw.includes('[redacted]'), slot);
  }
});

test('a body never reaches a line, whether as text, bytes or under another object', () => {
  const { raw } = logged({
    body: canary,
    rawBody: canary,
    request: { body: { note: canary } },
    bytes: Buffer.from(canary),
  });
  assert.ok(!raw.includes(canary));
  assert.ok(!raw.includes(Buffer.from(canary).toString('base64')));
  assert.ok(raw.includes(`[${canary.length} bytes]`));
});

test('an error keeps its name, code, message, stack and causes', () => {
  const root = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const middle = new AggregateError([root], 'all failed');
  const { parsed } = logged({ err: new TypeError('no journal', { cause: middle }) });
  assert.equal(parsed.err.name, 'TypeError');
  assert.equal(parsed.err.message, 'no journal');
  assert.match(parsed.err.stack, /log\.test/);
  assert.equal(parsed.err.cause.message, 'all failed');
  assert.equal(parsed.err.cause.errors[0].code, 'ECONNREFUSED');
});

test('an axios error is logged without its request, headers and bodies', async () => {
  const error = await axios
    .post(
      `http://127.0.0.1:1/${canary}`,
      { note: canary },
      { headers: { 'x-odd': canary }, auth: { username: 'u', password: canary } },
    )
    .then(
      () => assert.fail('nothing listens there'),
      (reason: unknown) => reason,
    );
  for (const fields of [
    { err: error },
    { reason: error },
    { err: new Error('x', { cause: error }) },
  ]) {
    const { raw } = logged(fields);
    assert.ok(!raw.includes(canary));
    assert.ok(raw.includes('ECONNREFUSED'));
  }
});

test('a password in an address is cut out, also of messages and stacks', () => {
  const url = `postgres://crossdock:${canary}@db.example/crossdock`;
  const { raw } = logged({ url, at: new URL(url), err: new Error(`cannot reach ${url}`) });
  assert.ok(!raw.includes(canary));
  assert.ok(raw.includes('//[redacted]@db.example/crossdock'));
});

test('a cause that leads back to itself ends', () => {
  const error = new Error('round');
  error.cause = error;
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  assert.ok(logged({ err: error, circle }).raw.length < 50_000);
});

test('for a terminal the same line is short and just as clean', () => {
  const { raw } = logged(
    { connector: 'erp', token: canary, err: new Error('away') },
    { pretty: true },
  );
  assert.match(raw, /^\d\d:\d\d:\d\d info {2}something happened connector="erp"/);
  assert.match(raw, /Error: away/);
  assert.ok(!raw.includes(canary));
});
