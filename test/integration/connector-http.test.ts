import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { httpKind } from '../../src/connectors/http-connector.ts';
import { assertRetry, connectorConformance } from '../support/connector-conformance.ts';
import { call, withTarget } from '../support/http-connector.ts';
import { type Answer, startHttpTarget } from '../support/http-target.ts';

const TOKEN = 'canary-bearer-4711';

connectorConformance(httpKind, async () => {
  let failing = false;
  let taken = 0;
  const target = await startHttpTarget((received, response) => {
    if (!failing) taken += 1;
    response.statusCode = failing ? 503 : 200;
    response.setHeader('x-echo', String(received.headers.authorization));
    response.end(JSON.stringify(received.headers));
  });
  return {
    fields: { baseUrl: target.url, auth: { bearer: TOKEN } },
    operation: { post: '/orders/{id}', idempotency: { header: 'Idempotency-Key' } },
    folder: tmpdir(),
    body: (number) => JSON.stringify({ id: number }),
    longBody: () => JSON.stringify({ id: 1, text: 'x'.repeat(40_000) }),
    secrets: [TOKEN],
    taken: async () => taken,
    async fail() {
      failing = true;
    },
    stop: () => target.close(),
  };
});

describe('requests', () => {
  test('820982911946154508 arrives as 820982911946154508 in body, path, query, header and form', async () => {
    const body = '{"id":820982911946154508,"price":10.10}';
    const operation = {
      put: '/orders/{id}',
      query: { id: '{id}', price: '{price}' },
      headers: { 'X-Id': '{id}' },
    };
    await withTarget({ operation }, async (connector, target) => {
      assert.equal((await call(connector, body)).outcome.kind, 'delivered');
      const [received] = target.received;
      assert.equal(received?.method, 'PUT');
      assert.equal(received?.url, '/orders/820982911946154508?id=820982911946154508&price=10.10');
      assert.equal(received?.headers['x-id'], '820982911946154508');
      assert.equal(received?.body, body);
      assert.equal(received?.headers['content-type'], 'application/json');
    });
    await withTarget({ operation: { post: '/f', body: 'form' } }, async (connector, target) => {
      await call(connector, body);
      assert.equal(target.received[0]?.body, 'id=820982911946154508&price=10.10');
    });
  });

  test('fills in the key and the event, and percent-encodes what a path and a query get', async () => {
    const operation = {
      get: '/shops/{$event.shop}/{name}',
      query: { 'a b': '{name}', t: '{$event.topic}' },
      headers: { 'X-Event': '{$event.id}/{$event.key}' },
      idempotency: { header: 'Idempotency-Key' },
    };
    const setup = { operation, fields: { headers: { 'X-Fixed': 'yes', Accept: 'text/csv' } } };
    await withTarget(setup, async (connector, target) => {
      await call(connector, '{"name":"a/../b?c#d&e=ü"}');
      const [received] = target.received;
      const encoded = 'a%2F..%2Fb%3Fc%23d%26e%3D%C3%BC';
      assert.equal(
        received?.url,
        `/shops/example.myshopify.com/${encoded}?a%20b=${encoded}&t=orders%2Fcreate`,
      );
      assert.equal(received?.headers['x-event'], '0192f000-0000-7000-8000-000000000002/webhook-1');
      assert.equal(received?.headers['idempotency-key'], 'event-1:flow-1');
      assert.equal(received?.headers['x-fixed'], 'yes');
      assert.equal(received?.headers.accept, 'text/csv');
      assert.equal(received?.body, '');
    });
  });

  test('rejects a message that cannot fill the templates, without sending anything', async () => {
    const operation = { post: '/orders/{id}', headers: { 'X-Name': '{name}' } };
    await withTarget({ operation }, async (connector, target) => {
      for (const [body, named] of [
        ['{"name":"n"}', /\{id\}/],
        ['{"id":null,"name":"n"}', /\{id\}/],
        ['{"id":{},"name":"n"}', /\{id\}/],
        ['{"id":"","name":"n"}', /empty/],
        ['{"id":"..","name":"n"}', /"\.\."/],
        ['{"id":1,"name":"a\\r\\nX-Evil: 1"}', /X-Name/],
        ['{"id":1,"name":"a\\u0000"}', /X-Name/],
        ['{"id":1,"name":"日"}', /X-Name/],
        ['no json', /not JSON/],
      ] as const) {
        const { outcome } = await call(connector, body);
        assert.equal(outcome.kind === 'rejected' && outcome.code, 'message-invalid', body);
        assert.match(outcome.kind === 'rejected' ? outcome.reason : '', named);
      }
      assert.equal(target.received.length, 0);
    });
  });

  test('sends each kind of credentials', async () => {
    for (const [auth, name, value] of [
      [{ bearer: 'token-1' }, 'authorization', 'Bearer token-1'],
      [{ basic: { user: 'u', password: 'p:ü' } }, 'authorization', 'Basic dTpwOsO8'],
      [{ header: { name: 'X-Api-Key', value: 'key-1' } }, 'x-api-key', 'key-1'],
    ] as const) {
      await withTarget({ fields: { auth } }, async (connector, target) => {
        const { exchange } = await call(connector);
        assert.equal(target.received[0]?.headers[name], value);
        assert.equal(exchange.request.headers?.[name], undefined);
      });
    }
  });
});

describe('answers', () => {
  test('every status has one meaning', async () => {
    let status = 200;
    const answer: Answer = (_received, response) => response.writeHead(status).end();
    await withTarget({ answer }, async (connector) => {
      const seen: Record<number, string> = {};
      for (status of [
        200, 201, 204, 301, 304, 400, 401, 403, 404, 408, 410, 422, 425, 429, 500, 503,
      ]) {
        const { outcome } = await call(connector);
        seen[status] =
          outcome.kind === 'delivered' ? 'delivered' : `${outcome.kind} ${outcome.code}`;
      }
      assert.deepEqual(seen, {
        200: 'delivered',
        201: 'delivered',
        204: 'delivered',
        301: 'rejected redirected',
        304: 'rejected redirected',
        400: 'rejected rejected',
        401: 'retry unauthorized',
        403: 'rejected forbidden',
        404: 'rejected rejected',
        408: 'retry remote-error',
        410: 'rejected operation-gone',
        422: 'rejected rejected',
        425: 'retry remote-error',
        429: 'retry rate-limited',
        500: 'retry remote-error',
        503: 'retry remote-error',
      });
    });
  });

  test('a 410 is about the operation only where its address is the same for every message', async () => {
    const answer: Answer = (_received, response) => response.writeHead(410).end();
    const operation = { post: '/orders/{id}' };
    await withTarget({ answer, operation }, async (connector) => {
      const { outcome } = await call(connector, '{"id":1}');
      assert.equal(outcome.kind === 'rejected' && outcome.code, 'rejected');
    });
  });

  test('the body of every whole answer is there, and that of a broken one is not', async () => {
    const answer: Answer = ({ body }, response) => {
      response.writeHead(Number(body), { 'content-length': 100 }).write('{"code":');
      if (body === '200') response.destroy();
      else response.end(`1}${' '.repeat(90)}`);
    };
    await withTarget({ answer }, async (connector) => {
      const whole = await call(connector, '422');
      assert.match(String(whole.responseBody), /^{"code":1}/);
      const broken = await call(connector, '200');
      assert.equal(broken.outcome.kind, 'retry');
      assert.equal(broken.responseBody, undefined);
    });
  });

  test('a listed success delivers, an unlisted 2xx does not', async () => {
    let status = 409;
    const answer: Answer = (_received, response) => response.writeHead(status).end();
    const operation = { post: '/orders', success: [201, 409] };
    await withTarget({ answer, operation }, async (connector) => {
      assert.deepEqual((await call(connector)).outcome, { kind: 'delivered', status: 409 });
      status = 202;
      const { outcome } = await call(connector);
      assert.equal(outcome.kind, 'rejected');
    });
  });

  test('a redirect is not followed', async () => {
    const elsewhere = await startHttpTarget();
    const answer: Answer = (_received, response) =>
      response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end();
    await withTarget({ answer, fields: { auth: { bearer: TOKEN } } }, async (connector) => {
      const { outcome } = await call(connector);
      assert.equal(outcome.kind === 'rejected' && outcome.code, 'redirected');
      assert.equal(outcome.kind === 'rejected' && outcome.status, 307);
      assert.equal(elsewhere.received.length, 0);
    });
    await elsewhere.close();
  });

  test('Retry-After is read in seconds and as a date', async () => {
    const now = () => Date.parse('2026-11-22T18:45:00Z');
    let value = '30';
    const answer: Answer = (_received, response) =>
      response.writeHead(429, { 'retry-after': value }).end();
    await withTarget({ answer, now }, async (connector) => {
      const asked: (number | undefined)[] = [];
      for (value of ['30', 'Sun, 22 Nov 2026 18:46:30 GMT', '-1', 'soon']) {
        const sent = await call(connector);
        assertRetry(sent);
        asked.push(sent.outcome.afterMs);
      }
      assert.deepEqual(asked, [30_000, 90_000, undefined, undefined]);
    });
  });

  test('an answer longer than 128 KiB is cut and still delivered', async () => {
    const answer: Answer = (_received, response) => {
      response.write('x'.repeat(1_000_000));
      response.end();
    };
    await withTarget({ answer }, async (connector) => {
      const { outcome, exchange, responseBody } = await call(connector);
      assert.equal(outcome.kind, 'delivered');
      assert.equal(responseBody?.length, 131_072);
      assert.equal(exchange.response?.bytes, 131_072);
      assert.equal((await call(connector)).outcome.kind, 'delivered');
    });
  });

  test('a 100 MB gzip bomb keeps memory bounded', async () => {
    const bomb = await gzipOfZeros(100);
    const answer: Answer = (_received, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    await withTarget({ answer }, async (connector) => {
      const before = process.memoryUsage.rss();
      const { outcome, responseBody } = await call(connector);
      const grown = process.memoryUsage.rss() - before;
      assert.equal(outcome.kind, 'delivered');
      assert.equal(responseBody?.length, 131_072);
      assert.ok(grown < 40_000_000, `${grown} bytes`);
    });
  });
});

async function gzipOfZeros(megabytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const zeros = Buffer.alloc(1_048_576);
  for (let written = 0; written < megabytes; written += 1) {
    if (!gzip.write(zeros)) await once(gzip, 'drain');
  }
  gzip.end();
  await once(gzip, 'end');
  return Buffer.concat(chunks);
}
