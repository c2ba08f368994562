// What the answers of a real target come to: by their class, and by what files say about them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '../../src/delivery/attempt.ts';
import { type AttemptSetup, withAttempts } from '../support/attempt-rig.ts';
import type { Answer } from '../support/http-target.ts';
import { startMapper } from '../support/mapping-pool.ts';

const mapper = startMapper();
const plain = '  createOrder: { post: /orders }';

function answering(status: number, body = '', headers: Record<string, string> = {}): Answer {
  return (_received, response) => response.writeHead(status, headers).end(body);
}

function said({ state, code, attempt }: Verdict): string {
  return `${state} ${code ?? ''} ${attempt?.spends === false ? 'free' : 'spends'}`;
}

async function attempted(setup: Partial<AttemptSetup>, body = '{"id":1}'): Promise<Verdict> {
  let verdict: Verdict | undefined;
  await withAttempts({ operations: plain, mapper, ...setup }, async ({ begin }) => {
    verdict = await begin(body)();
  });
  assert.ok(verdict);
  return verdict;
}

describe('by class', () => {
  test('a 429 spends no attempt and says how long the lane should rest', async () => {
    const setup = { operations: plain, mapper, flow: 'retry: { attempts: 2 }' };
    await withAttempts(setup, async ({ target, begin }) => {
      target.answer(answering(429, '', { 'retry-after': '7' }));
      const attempt = begin('{}');
      for (let turn = 0; turn < 4; turn += 1) {
        const verdict = await attempt();
        assert.equal(said(verdict), 'retrying rate-limited free');
        assert.equal(verdict.restMs, 7_000);
        assert.ok((verdict.dueInMs ?? 0) >= 7_000);
      }
      target.answer(answering(503));
      assert.equal(said(await attempt()), 'retrying remote-error spends');
      assert.equal(said(await attempt()), 'dead retries-exhausted spends');
      assert.equal(target.received.length, 6);
    });
  });

  test('a success that leaves nothing of the limit asks the lane to rest', async () => {
    const headers = { 'ratelimit-remaining': '0', 'ratelimit-reset': '3' };
    const verdict = await attempted({ answer: answering(200, '{}', headers) });
    assert.deepEqual([verdict.state, verdict.restMs], ['delivered', 3_000]);
  });

  test('a 410 holds the delivery for its operation', async () => {
    const verdict = await attempted({ answer: answering(410) });
    assert.equal(said(verdict), 'held operation-gone free');
    assert.equal(verdict.heldBy, 'operation:erp.createOrder');
  });

  test('a 401 to fixed credentials spends nothing; a 403 is about this message', async () => {
    assert.equal(said(await attempted({ answer: answering(401) })), 'retrying unauthorized free');
    assert.equal(said(await attempted({ answer: answering(403) })), 'dead forbidden spends');
  });

  test('a 401 to an OAuth2 token is tried once more with a new one, for free', async () => {
    let issued = 0;
    const answer: Answer = (received, response) => {
      if (received.url === '/token') {
        issued += 1;
        response.end(JSON.stringify({ access_token: `token-${issued}`, expires_in: 3_600 }));
        return;
      }
      const isFresh = received.headers.authorization === 'Bearer token-2';
      response.writeHead(isFresh ? 201 : 401).end();
    };
    const setup = { operations: plain, mapper, answer };
    await withAttempts(setup, async ({ target }) => {
      const oauth2 = `auth: { oauth2: { tokenUrl: "${target.url}/token", clientId: hub, clientSecret: "\${S:canary}" } }`;
      await withAttempts({ ...setup, connector: oauth2 }, async ({ begin, target: erp }) => {
        const attempt = begin('{}');
        const first = await attempt();
        assert.equal(said(first), 'retrying token-expired free');
        assert.equal(first.dueInMs, 1_000);
        assert.equal(said(await attempt()), 'delivered  spends');
        assert.deepEqual(
          erp.received.map(({ headers }) => headers.authorization),
          ['Bearer token-1', 'Bearer token-2'],
        );
      });
    });
  });
});

describe('outcomes of files', () => {
  const flow = `
outcomes:
  - { status: 409, then: delivered }
  - { status: [400, 422], when: "body.error.code = 'DUP' and $sent.id = 1", then: delivered }
  - { status: 404, then: retry }
  - { status: 200, when: $exists(body.errors), then: dead }
  - { when: "headers.'x-mood' = 'later'", then: retry }`;

  test('by status, by an expression over the answer, and by both', async () => {
    for (const [answer, expected] of [
      [answering(409), 'delivered  spends'],
      [answering(422, '{"error":{"code":"DUP"}}'), 'delivered  spends'],
      [answering(400, '{"error":{"code":"BAD"}}'), 'dead rejected spends'],
      [answering(422, 'no JSON'), 'dead rejected spends'],
      [answering(404), 'retrying remote-error spends'],
      [answering(200, '{"errors":[{"message":"no"}]}'), 'dead rejected spends'],
      [answering(200, '{"data":1}'), 'delivered  spends'],
      [answering(403, '', { 'x-mood': 'later' }), 'retrying remote-error spends'],
      [answering(429, '', { 'x-mood': 'later' }), 'retrying rate-limited free'],
    ] as const) {
      const verdict = await attempted({ flow, answer });
      assert.equal(said(verdict), expected, verdict.reason);
    }
  });

  test('the reason names the line, and the attempt keeps the answer', async () => {
    const verdict = await attempted({ flow, answer: answering(422, '{"error":{"code":"DUP"}}') });
    assert.equal(
      verdict.reason,
      'ERP answered 422 Unprocessable Entity; delivered by its outcomes (flows/order.yaml:6)',
    );
    assert.equal(verdict.attempt?.outcome, 'delivered');
    assert.equal(verdict.attempt?.status, 422);
    assert.match(verdict.attempt?.response ?? '', /DUP/);
  });

  test('those of the flow come before those of the operation', async () => {
    const operations = `
  createOrder:
    post: /orders
    outcomes:
      - { status: 409, then: retry }
      - { status: 418, then: delivered }`;
    const conflict = await attempted({ operations, flow, answer: answering(409) });
    assert.equal(conflict.state, 'delivered');
    const teapot = await attempted({ operations, flow, answer: answering(418) });
    assert.equal(teapot.state, 'delivered');
    const own = await attempted({ operations, answer: answering(409) });
    assert.equal(own.state, 'retrying');
  });

  test('numbers of the answer keep their digits', async () => {
    const digits = `
outcomes:
  - { when: "$string(body.id) = '820982911946154508'", then: delivered }`;
    const answer = answering(500, '{"id":820982911946154508}');
    assert.equal((await attempted({ flow: digits, answer })).state, 'delivered');
    const neighbour = answering(500, '{"id":820982911946154509}');
    assert.equal((await attempted({ flow: digits, answer: neighbour })).state, 'retrying');
  });

  test('Retry-After counts for an answer that only a file calls retry', async () => {
    const answer = answering(404, '', { 'retry-after': '600' });
    const { dueInMs = 0 } = await attempted({ flow, answer });
    assert.ok(dueInMs >= 600_000, String(dueInMs));
  });

  test('an expression that fails does not match, and the reason says so', async () => {
    const broken = 'outcomes: [{ when: "$number(body.code) = 1", then: dead }]';
    const answer = answering(200, '{"code":"x"}');
    const verdict = await attempted({ flow: broken, answer });
    assert.equal(verdict.state, 'delivered');
    assert.match(verdict.reason ?? '', /its outcomes could not be evaluated: flows\/order.yaml:3/);
  });

  test('no answer, and a broken one, stay what they are', async () => {
    const always = 'outcomes: [{ when: "true", then: delivered }]';
    const silent = await attempted({ flow: always, answer: () => undefined });
    assert.equal(said(silent), 'retrying timed-out spends');
    const broken: Answer = (_received, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('x');
      response.destroy();
    };
    const cut = await attempted({ flow: always, answer: broken });
    assert.equal(said(cut), 'retrying connection-failed spends');
    assert.equal(cut.attempt?.ambiguous, true);
  });

  test('nothing is concluded from a body that is cut, but from its status and headers', async () => {
    const long = JSON.stringify({ data: 'x'.repeat(200_000), errors: ['no'] });
    const verdict = await attempted({ flow, answer: answering(200, long) });
    assert.equal(said(verdict), 'delivered  spends');
    const why = 'the answer is longer than the 131072 bytes that are read of it';
    assert.match(verdict.reason ?? '', new RegExp(`flows/order.yaml:8:\\d+: ${why}`));
    const known = await attempted({ flow, answer: answering(409, long) });
    assert.equal(said(known), 'delivered  spends');
    const moody = await attempted({ flow, answer: answering(403, long, { 'x-mood': 'later' }) });
    assert.equal(said(moody), 'retrying remote-error spends');
    const operations = '  createOrder: { post: /orders, result: number }';
    const none = await attempted({ operations, answer: answering(201, long) });
    assert.deepEqual(
      [none.state, none.code, none.result],
      ['delivered', 'response-unusable', undefined],
    );
    assert.match(none.reason ?? '', new RegExp(why));
  });

  test('a status that none of them names costs no evaluation', async () => {
    let evaluations = 0;
    const counting = startMapper({ onEvaluation: () => (evaluations += 1) });
    const only = 'outcomes: [{ status: 409, when: "false", then: dead }]';
    await attempted({ flow: only, mapper: counting, answer: answering(200) });
    assert.equal(evaluations, 0);
    await attempted({ flow: only, mapper: counting, answer: answering(409) });
    assert.equal(evaluations, 1);
  });

  test('where the mapper takes nothing, nothing is guessed and nothing is spent', async () => {
    const leaving = startMapper();
    await leaving.close();
    const verdict = await attempted({ flow, mapper: leaving, answer: answering(422) });
    assert.equal(said(verdict), 'retrying hub-error free');
    assert.equal(verdict.inDoubt, false);
    const success = await attempted({ flow, mapper: leaving, answer: answering(200, '{}') });
    assert.equal(said(success), 'retrying hub-error free');
    assert.equal(success.inDoubt, true);
  });
});
