import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connector } from '../../src/connectors/connector.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { assertRetry } from '../support/connector-conformance.ts';
import { call, withTarget } from '../support/http-connector.ts';
import { type Answer, type HttpTarget, startHttpTarget } from '../support/http-target.ts';

describe('OAuth2 client credentials', () => {
  interface TokenSetup {
    readonly oauth2?: JsonObject;
    readonly tokens?: Answer;
    readonly answer?: Answer;
    readonly now?: () => number;
    readonly timeoutMs?: number;
  }

  async function withTokens(
    setup: TokenSetup,
    use: (connector: Connector, target: HttpTarget, tokens: HttpTarget) => Promise<void>,
  ): Promise<void> {
    let issued = 0;
    const issue: Answer = (_received, response) => {
      issued += 1;
      response.end(JSON.stringify({ access_token: `issued-${issued}`, expires_in: 100 }));
    };
    const tokens = await startHttpTarget(setup.tokens ?? issue);
    const oauth2 = {
      tokenUrl: `${tokens.url}/token`,
      clientId: 'client',
      clientSecret: 'canary-client',
      ...setup.oauth2,
    };
    const target = { ...setup, fields: { auth: { oauth2 } }, secrets: ['canary-client'] };
    try {
      await withTarget(target, (connector, erp) => use(connector, erp, tokens));
    } finally {
      await tokens.close();
    }
  }

  test('refreshes once for 20 concurrent sends', async () => {
    await withTokens({}, async (connector, target, tokens) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => call(connector)));
      assert.deepEqual(new Set(all.map(({ outcome }) => outcome.kind)), new Set(['delivered']));
      assert.equal(tokens.received.length, 1);
      const used = new Set(target.received.map(({ headers }) => headers.authorization));
      assert.deepEqual(used, new Set(['Bearer issued-1']));
      assert.doesNotMatch(JSON.stringify(all), /issued-1/);
    });
  });

  test('asks in the header or in the body, with scope and audience', async () => {
    const oauth2 = { scope: 'a b', audience: 'https://erp.example' };
    await withTokens({ oauth2 }, async (connector, _target, tokens) => {
      await call(connector);
      const asked = tokens.received[0];
      const basic = Buffer.from('client:canary-client').toString('base64');
      assert.equal(asked?.headers.authorization, `Basic ${basic}`);
      const form = 'grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Ferp.example';
      assert.equal(asked?.body, form);
    });
    await withTokens({ oauth2: { style: 'body' } }, async (connector, _target, tokens) => {
      await call(connector);
      const form = new URLSearchParams(tokens.received[0]?.body);
      assert.equal(form.get('client_secret'), 'canary-client');
      assert.equal(tokens.received[0]?.headers.authorization, undefined);
    });
  });

  test('renews a token before it runs out', async () => {
    let nowMs = 0;
    await withTokens({ now: () => nowMs }, async (connector, target, tokens) => {
      await call(connector);
      nowMs = 89_000;
      await call(connector);
      assert.equal(tokens.received.length, 1);
      nowMs = 91_000;
      await call(connector);
      assert.equal(tokens.received.length, 2);
      assert.equal(target.received.at(-1)?.headers.authorization, 'Bearer issued-2');
    });
  });

  test('a 401 drops the token and asks for another try soon', async () => {
    let status = 401;
    const answer: Answer = (_received, response) => response.writeHead(status).end();
    await withTokens({ answer }, async (connector, target) => {
      const sent = await call(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'token-expired');
      status = 200;
      assert.equal((await call(connector)).outcome.kind, 'delivered');
      assert.equal(target.received.at(-1)?.headers.authorization, 'Bearer issued-2');
    });
  });

  test('a 401 to the token that came in the place of a refused one is about the credentials', async () => {
    let status = 401;
    const answer: Answer = (_received, response) => response.writeHead(status).end();
    await withTokens({ answer }, async (connector, _target, tokens) => {
      const codes: string[] = [];
      for (status of [401, 401, 401, 200, 401, 401]) {
        const { outcome } = await call(connector);
        codes.push(outcome.kind === 'delivered' ? 'delivered' : outcome.code);
      }
      assert.deepEqual(codes, [
        'token-expired',
        'unauthorized',
        'unauthorized',
        'delivered',
        'token-expired',
        'unauthorized',
      ]);
      assert.equal(tokens.received.length, 5);
    });
  });

  test('a token server that fails is the outcome, and its secret does not show', async () => {
    for (const [status, body, expected] of [
      [503, 'canary-client', 'retry remote-error'],
      [401, 'canary-client', 'retry unauthorized'],
      [200, '{"token":"canary-client"}', 'retry response-unusable'],
      [200, 'canary-client', 'retry response-unusable'],
    ] as const) {
      const tokens: Answer = (_received, response) => response.writeHead(status).end(body);
      await withTokens({ tokens }, async (connector, target) => {
        const sent = await call(connector);
        const { outcome } = sent;
        assert.equal(outcome.kind !== 'delivered' && `${outcome.kind} ${outcome.code}`, expected);
        assert.doesNotMatch(JSON.stringify(sent), /canary/);
        assert.equal(target.received.length, 0);
      });
    }
  });

  test('an abort while the token is fetched rejects, and the others go on', async () => {
    let release: () => void = () => undefined;
    const tokens: Answer = (_received, response) => {
      release = () => response.end('{"access_token":"late-token"}');
    };
    await withTokens({ tokens }, async (connector, target, server) => {
      const abort = new AbortController();
      const arrived = server.next();
      const leaving = call(connector, '{}', abort.signal);
      const staying = call(connector);
      await arrived;
      abort.abort(new Error('leaving'));
      await assert.rejects(leaving, /leaving/);
      release();
      assert.equal((await staying).outcome.kind, 'delivered');
      assert.equal(target.received.length, 1);
    });
  });
});
