import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeSecrets } from '../../src/cli/doctor/secrets.ts';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { createSecretCounter, markOf } from '../../src/intake/secret-uses.ts';
import type { SecretMatches, SecretUse } from '../../src/journal/secret-uses-port.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { noKeys, readerOf, receiveOf } from '../support/receiver.ts';
import { quietLog } from '../support/test-journal-server.ts';

const token: JsonObject = { token: { header: 'X-Token' } };

function connectorsOf(fields: JsonObject): ReadonlyMap<string, ConnectorDefinition> {
  const connector: ConnectorDefinition = {
    id: 'shop',
    receive: receiveOf(fields),
    fields: {},
    operations: new Map(),
    limits: { concurrency: 1 },
    timeoutMs: 1_000,
    secrets: [],
  };
  return new Map([['shop', connector]]);
}

describe('secrets that are replaced while the hub runs', () => {
  const live = () =>
    createLiveReceivers(connectorsOf({ verify: token, secrets: ['old'] }), { keys: noKeys });

  test('are the ones that count from then on', async () => {
    const receivers = live();
    const change = receivers.takeSecrets(connectorsOf({ verify: token, secrets: ['new', 'old'] }));
    assert.deepEqual(change, { rotated: ['shop'], stale: [] });
    for (const [secret, number] of [
      ['new', 1],
      ['old', 2],
    ] as const) {
      const receiver = receivers.get('shop');
      assert.ok(receiver);
      const reader = readerOf(receiver.receive, { headers: { 'x-token': secret } });
      const verdict = await receiver.verifier(reader, Date.now());
      assert.deepEqual(verdict, { kind: 'authentic', secret: number });
      assert.equal(receiver.marks.get(number)?.mark, markOf('shop', secret));
    }
  });

  test('bring nothing else of a changed file with them', () => {
    const receivers = live();
    const before = receivers.get('shop');
    const changed = connectorsOf({ verify: token, secrets: ['new'], bodyMax: '2mb' });
    assert.deepEqual(receivers.takeSecrets(changed), { rotated: [], stale: ['shop'] });
    assert.equal(receivers.get('shop'), before);
  });

  test('change nothing at all where one of them is no key', () => {
    const hex: JsonObject = { hmac: 'sha256', header: 'X-Sig', encoding: 'hex', key: 'hex' };
    const receivers = createLiveReceivers(connectorsOf({ verify: hex, secrets: ['00ff'] }), {
      keys: noKeys,
    });
    const before = receivers.get('shop');
    assert.throws(
      () => receivers.takeSecrets(connectorsOf({ verify: hex, secrets: ['no hex'] })),
      (error) => isCrossdockError(error, 'definitions-invalid') && !/no hex/.test(error.message),
    );
    assert.equal(receivers.get('shop'), before);
  });
});

describe('the counter of matches', () => {
  test('tells each secret once, and again what could not be told', async () => {
    const told: (readonly SecretMatches[])[] = [];
    let isAway = true;
    const uses = {
      note: async (matches: readonly SecretMatches[]) => {
        if (isAway) throw new Error('away');
        told.push(matches);
      },
      list: async () => [],
      forget: async () => undefined,
    };
    const counter = createSecretCounter({ uses, log: quietLog });
    const secret = { number: 1, mark: 'ab12' };
    counter.matched('shop', secret);
    await counter.tell();
    counter.matched('shop', secret);
    isAway = false;
    await counter.close();
    assert.deepEqual(told, [[{ source: 'shop', ...secret, matches: 2 }]]);
  });
});

describe('doctor', () => {
  const nowMs = Date.parse('2026-11-23T12:00:00Z');
  const use = (secret: string, number: number, agoMs: number): SecretUse => {
    const at = new Date(nowMs - agoMs);
    const mark = markOf('shop', secret);
    return { source: 'shop', mark, number, firstAt: at, lastAt: at, matches: 1 };
  };
  const judge = (...uses: SecretUse[]) =>
    judgeSecrets(connectorsOf({ verify: token, secrets: ['new', 'old'] }).values(), uses, nowMs)[0];
  const HOUR_MS = 3_600_000;

  test('asks to take out an old secret that no sender uses any more', () => {
    const finding = judge(use('new', 1, 60_000), use('old', 1, 72 * HOUR_MS));
    assert.equal(finding?.verdict, 'warn');
    assert.equal(finding.found, '1 matched 1 min ago, 2 matched 3 d ago');
    assert.match(finding.todo ?? '', /take secret 2 out/);
  });

  test('is content while both are in use, and says so where only the old one is', () => {
    assert.equal(judge(use('new', 1, 60_000), use('old', 1, HOUR_MS))?.verdict, 'pass');
    const finding = judge(use('old', 1, HOUR_MS));
    assert.equal(finding?.found, '1 never matched, 2 matched 60 min ago');
    assert.match(finding?.todo ?? '', /set it there/);
  });

  test('says nothing of a connector that no request has come to', () => {
    assert.equal(judge(), undefined);
  });
});
