import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { assertRetry } from '../support/connector-conformance.ts';
import { call, connectorAt, withTarget } from '../support/http-connector.ts';
import { type Answer, ok, startHttpTarget } from '../support/http-target.ts';

/** A server below HTTP, for answers that Node's own would not give. */
async function withRawServer(
  onSocket: (socket: Socket) => void,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe('broken connections', () => {
  test('a slow-drip answer is cut at the deadline', async () => {
    const answer: Answer = (_received, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    };
    await withTarget({ answer, timeoutMs: 300 }, async (connector, target) => {
      const started = performance.now();
      const sent = await call(connector);
      const elapsedMs = performance.now() - started;
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'timed-out');
      assert.equal(sent.outcome.ambiguous, true);
      assert.ok(elapsedMs > 250 && elapsedMs < 1_500, `${elapsedMs} ms`);
      target.answer(ok);
      assert.equal((await call(connector)).outcome.kind, 'delivered');
    });
  });

  test('a target that never answers is left at the deadline', async () => {
    await withTarget({ answer: () => undefined, timeoutMs: 200 }, async (connector) => {
      const sent = await call(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'timed-out');
      assert.equal(sent.outcome.ambiguous, true);
      assert.equal(sent.outcome.reason, 'ERP did not answer within 200 ms');
    });
  });

  test('a target that answers 200 and then resets is tried again, as ambiguous', async () => {
    const answer200 = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok"';
    const answer: (socket: Socket) => void = (socket) =>
      socket.once('data', () => socket.write(answer200, () => socket.resetAndDestroy()));
    await withRawServer(answer, async (url) => {
      const connector = connectorAt(url);
      const sent = await call(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'connection-failed');
      assert.equal(sent.outcome.ambiguous, true);
      assert.equal(sent.responseBody, undefined);
      await connector.close();
    });
  });

  test('a target that resets without an answer is tried again, as ambiguous', async () => {
    const answer = (socket: Socket) => socket.once('data', () => socket.resetAndDestroy());
    await withRawServer(answer, async (url) => {
      const connector = connectorAt(url);
      const sent = await call(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.ambiguous, true);
      assert.equal(sent.outcome.code, 'connection-failed');
      assert.match(sent.outcome.reason, /^ERP did not answer: the connection was reset/);
      await connector.close();
    });
  });

  test('an answer that is not HTTP is tried again', async () => {
    await withRawServer(
      (socket) => socket.once('data', () => socket.end('220 mail.example ESMTP\r\n')),
      async (url) => {
        const connector = connectorAt(url);
        const sent = await call(connector);
        assertRetry(sent);
        assert.equal(sent.outcome.code, 'response-unusable');
        await connector.close();
      },
    );
  });

  test('a refused connection is tried again, and is not ambiguous', async () => {
    const target = await startHttpTarget();
    await target.close();
    const connector = connectorAt(target.url);
    const sent = await call(connector);
    assertRetry(sent);
    assert.equal(sent.outcome.code, 'connection-failed');
    assert.equal(sent.outcome.ambiguous, undefined);
    assert.match(sent.outcome.reason, /^ERP could not be reached: .*ECONNREFUSED/);
    await connector.close();
  });

  test('a TLS failure says so and is not ambiguous', async () => {
    await withTarget({}, async (_connector, target) => {
      const connector = connectorAt(target.url.replace('http:', 'https:'));
      const sent = await call(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'connection-failed');
      assert.equal(sent.outcome.ambiguous, undefined);
      assert.match(sent.outcome.reason, /TLS failed/);
      await connector.close();
    });
  });

  test('a forbidden address is not connected to', async () => {
    for (const host of [
      '169.254.169.254',
      '[::ffff:169.254.169.254]',
      '[fd00:ec2::254]',
      '0.0.0.0',
    ]) {
      const connector = connectorAt(`http://${host}`);
      const sent = await call(connector);
      assertRetry(sent);
      assert.match(sent.outcome.reason, /ADDRESS_FORBIDDEN/);
      await connector.close();
    }
  });
});

describe('aborts', () => {
  test('an abort before the request was written rejects with its reason', async () => {
    const target = await startHttpTarget(() => undefined);
    const connector = connectorAt(target.url, { concurrency: 1 });
    const arrived = target.next();
    const holding = call(connector);
    await arrived;
    const abort = new AbortController();
    const queued = call(connector, '{}', abort.signal);
    const reason = new Error('leaving');
    abort.abort(reason);
    await assert.rejects(queued, (error) => error === reason);
    assert.equal(target.received.length, 1);
    await target.close();
    assertRetry(await holding);
    await connector.close();
  });

  test('an abort after the request was written lets the call complete', async () => {
    const abort = new AbortController();
    const answer: Answer = (received, response) => {
      abort.abort(new Error('leaving'));
      setImmediate(() => ok(received, response));
    };
    await withTarget({ answer }, async (connector) => {
      const { outcome } = await call(connector, '{}', abort.signal);
      assert.equal(outcome.kind, 'delivered');
      assert.equal(abort.signal.aborted, true);
    });
  });
});

describe('secrets', () => {
  test('a canary never appears in exchange or reasons, even when the target echoes it', async () => {
    const secret = 'canary/"ümlaut"+4711';
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(`user:${secret}`).toString('base64'),
      'canary-undeclared-key',
    ];
    const answer: Answer = (received, response) => {
      response.writeHead(500, { 'x-echo': encodeURIComponent(secret), 'set-cookie': 'a=b' });
      response.end(`${forms.join(' ')} ${JSON.stringify(received)}`);
    };
    const operation = {
      post: '/orders',
      query: { api_key: 'canary-undeclared-key', echo: '{echo}' },
      headers: { 'X-Auth-Token': 'canary-undeclared-key' },
    };
    const auth = { basic: { user: 'user', password: secret } };
    const setup = { answer, operation, fields: { auth }, secrets: [secret] };
    await withTarget(setup, async (connector, target) => {
      const sent = await call(connector, JSON.stringify({ echo: secret }));
      assert.match(target.received[0]?.url ?? '', /canary/);
      const seen = JSON.stringify(sent);
      assert.match(seen, /\[redacted\]/);
      assert.doesNotMatch(seen, /canary|4711/);
      for (const form of forms) assert.equal(seen.includes(form), false, form);
      assert.equal(sent.exchange.response?.headers?.['set-cookie'], '[redacted]');
    });
  });
});
