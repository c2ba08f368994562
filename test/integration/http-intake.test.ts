import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import type { IntakeAnswer, IntakeRequest } from '../../src/intake/intake.ts';
import { CrossdockError } from '../../src/model/errors.ts';
import { type HttpHub, startHttp } from '../support/http-hub.ts';
import { waitUntil } from '../support/wait-until.ts';

const BODY_BYTES_MAX = 1_000;
let hub: HttpHub;
let accepted: IntakeRequest[] = [];
let arrived: () => void;
let answer: () => Promise<IntakeAnswer>;

before(async () => {
  hub = await startHttp({
    intake: {
      questionMethods: () => [],
      bodyBytesMax: (connector) => {
        arrived();
        return connector === 'shop' ? BODY_BYTES_MAX : undefined;
      },
      accept: (request) => {
        accepted.push(request);
        return answer();
      },
    },
  });
});
after(() => hub.server.close(1_000));
beforeEach(() => {
  accepted = [];
  arrived = () => undefined;
  answer = async () => ({ status: 200, body: { id: 'e1' } });
});

const post = (path: string, init: RequestInit = {}) =>
  fetch(`${hub.url}${path}`, { method: 'POST', ...init });

/** Sends `head` on a bare socket and resolves with all that came back until the hub closed it. */
async function exchange(head: string, parts: readonly Buffer[] = []): Promise<string> {
  const socket = connect(hub.server.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(head);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

test('intake gets the exact bytes and answers with nothing but the id', async () => {
  const body = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0x0d, 0x0a, 0x7d]);
  const response = await post('/webhooks/shop', { body, headers: { 'X-Topic': 'orders/create' } });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '{"id":"e1"}');
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('x-powered-by'), null);
  assert.equal(response.headers.get('etag'), null);
  const [request] = accepted;
  assert.deepEqual(request?.body, body);
  assert.equal(request?.connector, 'shop');
  assert.equal(request?.headers['x-topic'], 'orders/create');
});

test('a JSON body reaches intake unparsed, with the number that a parser would round', async () => {
  const body = '{ "id": 820982911946154508 }';
  await post('/webhooks/shop', { body, headers: { 'content-type': 'application/json' } });
  assert.equal(accepted[0]?.body.toString(), body);
});

test('PUT is taken as POST is, and a missing body is an empty one', async () => {
  const response = await fetch(`${hub.url}/webhooks/shop`, { method: 'PUT' });
  assert.equal(response.status, 200);
  assert.equal(accepted[0]?.body.length, 0);
});

test('intake decides the status and may add headers', async () => {
  answer = async () => ({ status: 202, headers: { 'x-duplicate': 'yes' }, body: { id: 'e9' } });
  const response = await post('/webhooks/shop', { body: '{}' });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('x-duplicate'), 'yes');
});

test('an unknown connector is 404 before its body has been read', async () => {
  const text = await exchange(
    'POST /webhooks/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\nConnection: close\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 404 /);
  assert.match(text, /"code":"connector-unknown"/);
});

test('every method but POST and PUT is 405 and says which are allowed', async () => {
  for (const method of ['GET', 'DELETE', 'PATCH', 'OPTIONS']) {
    const response = await fetch(`${hub.url}/webhooks/shop`, { method });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'POST, PUT');
  }
  assert.equal(accepted.length, 0);
});

test('a body of exactly the limit is taken, and one byte more is 413', async () => {
  assert.equal((await post('/webhooks/shop', { body: 'x'.repeat(BODY_BYTES_MAX) })).status, 200);
  const refused = await post('/webhooks/shop', { body: 'x'.repeat(BODY_BYTES_MAX + 1) });
  assert.equal(refused.status, 413);
  assert.equal(refused.headers.get('connection'), 'close');
  const problem = (await refused.json()) as { code: string; detail: string };
  assert.equal(problem.code, 'body-too-large');
  assert.equal(problem.detail, 'At most 1000 bytes are taken here.');
  assert.equal(accepted.length, 1);
});

test('a chunked body is 413 as soon as it is over the limit', async () => {
  const chunk = Buffer.from(`400\r\n${'x'.repeat(1_024)}\r\n`);
  const text = await exchange(
    'POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    [chunk, chunk, Buffer.from('0\r\n\r\n')],
  );
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.equal(accepted.length, 0);
});

test('a client that is still sending a body far too large gets its 413 and not a reset', async () => {
  const bytes = 4 * 1_024 * 1_024;
  const text = await exchange(
    `POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`,
    [Buffer.alloc(bytes)],
  );
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /"code":"body-too-large"/);
});

test('a journal that is away is 503 with Retry-After, and says nothing about where it is', async () => {
  answer = async () => {
    throw new CrossdockError('journal-unavailable', 'no connection to 10.1.2.3:5432');
  };
  const response = await post('/webhooks/shop', { body: '{}' });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '30');
  assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const text = await response.text();
  assert.match(text, /"code":"journal-unavailable"/);
  assert.doesNotMatch(text, /10\.1\.2\.3/);
});

test('a thousand refusals while the journal is away are one line of the log', async () => {
  const before = hub.lines.length;
  answer = async () => {
    throw new CrossdockError('overloaded', 'the batcher is full');
  };
  await Promise.all(Array.from({ length: 50 }, () => post('/webhooks/shop', { body: '{}' })));
  assert.equal(hub.lines.length - before, 1);
});

test('a batcher that is full is 503 with Retry-After, on a connection that stays', async () => {
  answer = async () => {
    throw new CrossdockError('overloaded', 'journal append: 5000 requests are waiting');
  };
  const response = await post('/webhooks/shop', { body: '{}' });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '30');
  assert.equal(response.headers.get('connection'), 'keep-alive');
  const problem = (await response.json()) as { code: string; detail: string };
  assert.equal(problem.code, 'overloaded');
  assert.doesNotMatch(problem.detail, /5000/);
});

test('a bad signature is 401 without a word about why', async () => {
  answer = async () => {
    throw new CrossdockError('signature-invalid', 'x-shopify-hmac-sha256 is missing');
  };
  const response = await post('/webhooks/shop', { body: '{}' });
  assert.equal(response.status, 401);
  assert.doesNotMatch(await response.text(), /hmac/);
});

test('a bug is 500 with an id that the log has too, and no stack', async () => {
  answer = async () => {
    throw new TypeError('a canary of the inside');
  };
  const response = await post('/webhooks/shop', { body: '{}' });
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.doesNotMatch(text, /canary|at .*\.js/);
  const { id, code } = JSON.parse(text) as { id: string; code: string };
  assert.equal(code, 'hub-error');
  const line = hub.lines.find(({ fields }) => fields['id'] === id);
  assert.equal(line?.level, 'error');
});

test('a client that leaves in the middle of its body stores nothing and logs nothing', async () => {
  const lines = hub.lines.length;
  const begun = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const socket = connect(hub.server.port, '127.0.0.1');
  socket.write('POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf of it');
  await begun;
  socket.destroy();
  const page = () => hub.metrics.registry.metrics();
  await waitUntil('the request is given up', async () =>
    (await page()).includes('status="499"') ? true : undefined,
  );
  assert.equal(accepted.length, 0);
  assert.equal(hub.lines.length, lines);
});

test('a path that cannot be decoded is 400 and not 500', async () => {
  const text = await exchange(
    'POST /webhooks/%E0%A4%A HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 400 /);
});

test('metrics count requests by connector and status, and no path becomes a label', async () => {
  await post('/webhooks/shop', { body: '{}' });
  await post('/webhooks/some-name-of-a-scanner', { body: '{}' });
  const text = await hub.metrics.registry.metrics();
  assert.match(text, /crossdock_intake_requests_total\{source="shop",status="200"\} [1-9]/);
  assert.match(text, /crossdock_intake_requests_total\{source="unknown",status="404"\} [1-9]/);
  assert.doesNotMatch(text, /some-name-of-a-scanner/);
});

const HELD_BYTES_MAX = 256 * 1_024;

/** A hub of little memory for bodies, whose intake answers with the length of the body. */
async function startSmall(
  context: TestContext,
  heldBodyBytesMax = HELD_BYTES_MAX,
): Promise<HttpHub> {
  const small = await startHttp({
    heldBodyBytesMax,
    intake: {
      questionMethods: () => [],
      bodyBytesMax: () => 1_000_000,
      accept: async (request) => {
        accepted.push(request);
        await answer();
        return { status: 200, body: { id: String(request.body.length) } };
      },
    },
  });
  context.after(() => small.server.close(1_000));
  return small;
}

const send = ({ url }: HttpHub, bytes: number) =>
  fetch(`${url}/webhooks/shop`, {
    method: 'POST',
    body: Buffer.alloc(bytes, 'x'),
    signal: AbortSignal.timeout(5_000),
  });

test('bodies that never end cannot take all memory, nor keep small bodies out, and are forgotten when cut', async (context) => {
  const small = await startSmall(context);
  const answers: string[] = [];
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect(small.server.port, '127.0.0.1');
    socket.on('data', (data) => answers.push(data.toString()));
    socket.write('POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n');
    socket.write(Buffer.alloc(100_000, 'x'));
    context.after(() => socket.destroy());
    return socket;
  });
  // Three of them fit at most, and two stay at least: one alone does not fill the memory.
  await waitUntil('17 are refused', () => (answers.length >= 17 ? true : undefined));
  for (const text of answers) {
    assert.match(text, /^HTTP\/1\.1 503 /);
    assert.match(text, /"code":"overloaded"/);
    assert.match(text, /\r\nretry-after: 30\r\n/i);
    assert.match(text, /\r\nconnection: close\r\n/i);
  }
  assert.equal((await send(small, 240_000)).status, 503);
  assert.equal((await send(small, 12_000)).status, 200);
  assert.ok(answers.length < 20);

  for (const socket of sockets) socket.destroy();
  const response = await waitUntil('the memory is free again', async () => {
    const again = await send(small, 240_000);
    return again.status === 200 ? again : undefined;
  });
  assert.equal(await response.text(), '{"id":"240000"}');
  assert.equal(small.lines.length, 1);
});

test('a small body is taken where no memory is left for large ones', async (context) => {
  const full = await startSmall(context, 0);
  assert.equal((await send(full, 12_000)).status, 200);
  assert.equal((await send(full, 20_000)).status, 503);
});

test('a body holds its memory until it is answered, well or badly, and no longer', async (context) => {
  const small = await startSmall(context);
  for (const status of [200, 401]) {
    let end: () => void = () => undefined;
    answer = () =>
      new Promise((resolve, reject) => {
        const error = new CrossdockError('signature-invalid', 'not signed');
        end = status === 200 ? () => resolve({ status, body: { id: 'e1' } }) : () => reject(error);
      });
    accepted = [];
    const first = send(small, 200_000);
    await waitUntil('intake has it', () => accepted[0]);
    assert.equal((await send(small, 200_000)).status, 503);
    end();
    assert.equal((await first).status, status);
    answer = async () => ({ status: 200, body: { id: 'e2' } });
    assert.equal((await send(small, 200_000)).status, 200);
  }
});

test('a body in pieces of one byte is held to what the pieces cost', async (context) => {
  const small = await startSmall(context);
  const head = 'POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const socket = connect(small.server.port, '127.0.0.1');
  socket.write(`${head}${'1\r\nx\r\n'.repeat(1_000)}0\r\n\r\n`);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  assert.match(data.toString(), /^HTTP\/1\.1 503 /);
  assert.equal((await send(small, 1_000)).status, 200);
});
