// The judge of `npm run chaos` is worth something only if it sees what is wrong: each test breaks
// one thing in the logs of a good run.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Expectations, judge } from '../../chaos/checker.ts';
import type {
  Evidence,
  JournalDelivery,
  JournalEvent,
  SentMessage,
  TargetCall,
} from '../../chaos/evidence.ts';
import { createOrder, crmBodyOf, erpBodyOf } from '../../chaos/orders.ts';
import { usualFlows } from '../../chaos/scenario.ts';

const expectations: Expectations = {
  flows: usualFlows,
  orderedAt: ['erp'],
  spentMax: 1,
  neighbour: 'crm',
  recoveryMsMax: 60_000,
};

/** Mutable copies, so that a test can break one thing. */
interface Logs {
  sent: SentMessage[];
  calls: TargetCall[];
  events: JournalEvent[];
  deliveries: JournalDelivery[];
}

const FAULT_BEGAN_MS = 3_000;
const FAULT_ENDED_MS = 6_000;

/** Nine orders of three keys, one a second; each was delivered to both targets. */
function goodLogs(): Logs {
  const logs: Logs = { sent: [], calls: [], events: [], deliveries: [] };
  for (let number = 0; number < 9; number += 1) addOrder(logs, number);
  return logs;
}

function addOrder(logs: Logs, number: number): void {
  const sequence = Math.floor(number / 3) + 1;
  const draft = createOrder({ number, key: `c-${number % 3}`, sequence });
  const [id, eventId, atMs] = [`webhook-${number}`, `event-${number}`, number * 1_000];
  const sha256 = hashOf(draft.body.toString());
  const answer = { atMs, tookMs: 5, status: 200, eventId };
  logs.sent.push({ ...draft, id, sha256, tries: [answer], acknowledgedMs: atMs + 5 });
  logs.events.push({
    id: eventId,
    topic: draft.topic,
    dedupeKey: id,
    sha256,
    storedSha256: sha256,
  });
  for (const target of ['erp', 'crm']) {
    const flow = `order-to-${target}`;
    const body = target === 'erp' ? erpBodyOf(draft.body) : crmBodyOf(draft.body);
    const idempotencyKey = `${eventId}:${flow}`;
    const called = { target, atMs: atMs + 20, idempotencyKey, body, sha256: hashOf(body) };
    logs.calls.push({ ...called, status: 201, worked: true });
    logs.deliveries.push({
      ...{ id: `delivery-${number}-${target}`, eventId, flow, connector: target },
      ...{ revision: 'r-1', state: 'delivered', open: false, attempts: 1, spent: 1, ambiguous: 0 },
      ...{ dueMs: atMs, updatedMs: atMs + 30 },
    });
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function judged(logs: Logs, change: Partial<Expectations> = {}, leaks: Evidence['leaks'] = []) {
  const { sent, calls, events, deliveries } = logs;
  const times = { warmMs: 0, faultBeganMs: FAULT_BEGAN_MS, faultEndedMs: FAULT_ENDED_MS };
  const journal = { events, deliveries, revisions: new Map() };
  return judge({ sent, calls, journal, leaks, times }, { ...expectations, ...change });
}

function rulesBroken(logs: Logs, change: Partial<Expectations> = {}): readonly string[] {
  return [...new Set(judged(logs, change).findings.map(({ rule }) => rule))];
}

function replace<T>(list: T[], at: number, change: Partial<T>): void {
  list[at] = { ...(list[at] as T), ...change };
}

test('finds nothing in the logs of a good run, and reckons its figures', () => {
  const { findings, figures } = judged(goodLogs());
  assert.deepEqual(findings, []);
  assert.deepEqual(figures, {
    sent: 9,
    acknowledged: 9,
    lost: 0,
    duplicates: 0,
    ghosts: 0,
    refused: 0,
    recoveredMs: 30,
    neighbourIdleP99Ms: 20,
    neighbourFaultP99Ms: 20,
    ackP99Ms: 5,
  });
});

test('sees an acknowledged event that the journal does not have', () => {
  const logs = goodLogs();
  logs.events.splice(4, 1);
  logs.deliveries = logs.deliveries.filter(({ eventId }) => eventId !== 'event-4');
  logs.calls = logs.calls.filter(({ idempotencyKey }) => !idempotencyKey.startsWith('event-4:'));
  const { findings, figures } = judged(logs);
  assert.deepEqual(
    findings.map(({ rule, ids }) => [rule, ids]),
    [['kept', ['webhook-4']]],
  );
  assert.equal(figures.lost, 1);
});

test('sees bytes that were changed in the journal', () => {
  const logs = goodLogs();
  replace(logs.events, 2, { storedSha256: hashOf('other') });
  assert.deepEqual(rulesBroken(logs), ['kept']);
});

test('sees a 2xx with an id that is not the event', () => {
  const logs = goodLogs();
  logs.sent[3]?.tries.push({ atMs: 3_100, tookMs: 4, status: 200, eventId: 'event-5' });
  assert.deepEqual(rulesBroken(logs), ['kept']);
});

test('sees one message that became two events, and an event that nobody sent', () => {
  const twice = goodLogs();
  const [first] = twice.events;
  assert.ok(first);
  twice.events.unshift({ ...first, id: 'event-twin' });
  assert.deepEqual(rulesBroken(twice), ['one event']);
  const foreign = goodLogs();
  foreign.events.push({ ...first, id: 'event-x', dedupeKey: 'webhook-x' });
  assert.deepEqual(rulesBroken(foreign), ['one event']);
});

test('sees a message that was never acknowledged; in the journal it is a ghost, and allowed', () => {
  const logs = goodLogs();
  const message = logs.sent[8];
  assert.ok(message);
  message.tries.splice(0, 1, { atMs: 8_000, tookMs: 9, error: 'ECONNRESET' });
  delete message.acknowledgedMs;
  assert.deepEqual(rulesBroken(logs), ['acknowledged']);
  const { findings, figures } = judged(logs, { unacknowledgedAllowed: true });
  assert.deepEqual(findings, []);
  assert.equal(figures.ghosts, 1);
  assert.equal(figures.refused, 1);
});

test('sees a refusal that is no 503, and a 503 that does not say when to come again', () => {
  const logs = goodLogs();
  logs.sent[1]?.tries.unshift({ atMs: 900, tookMs: 4, status: 503, retryAfter: '30' });
  assert.deepEqual(rulesBroken(logs), []);
  logs.sent[1]?.tries.unshift({ atMs: 800, tookMs: 4, status: 503 });
  assert.deepEqual(rulesBroken(logs), ['refusal']);
  logs.sent[1]?.tries.splice(0, 1, { atMs: 800, tookMs: 4, status: 500, retryAfter: '30' });
  assert.deepEqual(rulesBroken(logs), ['refusal']);
});

test('sees a missing delivery and one too many', () => {
  const missing = goodLogs();
  missing.deliveries = missing.deliveries.filter(({ id }) => id !== 'delivery-5-crm');
  missing.calls = missing.calls.filter(
    ({ idempotencyKey }) => idempotencyKey !== 'event-5:order-to-crm',
  );
  const { findings, figures } = judged(missing);
  assert.ok(findings.some(({ rule }) => rule === 'one delivery'));
  assert.equal(figures.lost, 1);
  const twice = goodLogs();
  const [first] = twice.deliveries;
  assert.ok(first);
  twice.deliveries.push({ ...first, id: 'delivery-twin' });
  assert.deepEqual(rulesBroken(twice), ['one delivery']);
});

test('sees a delivery that is dead or still open, unless the scenario expects it', () => {
  const logs = goodLogs();
  const code = 'retries-exhausted';
  replace(logs.deliveries, 0, { state: 'dead', code });
  assert.deepEqual(rulesBroken(logs), ['ends']);
  assert.equal(judged(logs).figures.lost, 1);
  const endings = () => [{ state: 'delivered' }, { state: 'dead', code }];
  assert.deepEqual(rulesBroken(logs, { endings }), []);
  assert.deepEqual(rulesBroken(logs, { endings: () => [{ state: 'dead', code: 'rejected' }] }), [
    'ends',
  ]);
  const open = goodLogs();
  replace(open.deliveries, 0, { state: 'retrying', open: true });
  assert.deepEqual(rulesBroken(open), ['ends', 'recovery']);
});

test('sees a delivery that the target never had', () => {
  const logs = goodLogs();
  replace(logs.calls, 6, { worked: false, status: 503 });
  assert.deepEqual(rulesBroken(logs), ['seen']);
  assert.equal(judged(logs).figures.lost, 1);
});

test('sees an attempt that an error of the hub spent, and not one that the target left open', () => {
  const logs = goodLogs();
  replace(logs.deliveries, 1, { attempts: 2, spent: 2, ambiguous: 1 });
  assert.deepEqual(rulesBroken(logs), []);
  replace(logs.deliveries, 1, { attempts: 2, spent: 2, ambiguous: 0 });
  assert.deepEqual(rulesBroken(logs), ['spent']);
});

test('sees a body that is not what the mapping makes, down to one digit', () => {
  const logs = goodLogs();
  const body = logs.calls[0]?.body.replace('820982911946154508', '820982911946154500') ?? '';
  replace(logs.calls, 0, { body, sha256: hashOf(body) });
  assert.deepEqual(rulesBroken(logs), ['body']);
});

test('sees a duplicate; one that the fault explains is allowed, where it is', () => {
  const logs = goodLogs();
  const [first] = logs.calls;
  assert.ok(first);
  logs.calls.push({ ...first, atMs: 4_000, status: 200 });
  assert.deepEqual(rulesBroken(logs), ['duplicates']);
  assert.equal(judged(logs).figures.duplicates, 1);
  assert.deepEqual(rulesBroken(logs, { duplicates: { faults: 1 } }), []);
  assert.deepEqual(rulesBroken(logs, { duplicates: { faults: 1, targets: ['crm'] } }), [
    'duplicates',
  ]);
  replace(logs.deliveries, 0, { ambiguous: 1 });
  assert.deepEqual(rulesBroken(logs), []);
});

test('sees a duplicate under another key, and one with another body, whatever is allowed', () => {
  const otherKey = goodLogs();
  const [first] = otherKey.calls;
  assert.ok(first);
  otherKey.calls.push({ ...first, idempotencyKey: 'event-0:order-to-erp:2' });
  assert.deepEqual(rulesBroken(otherKey, { duplicates: { faults: 9 } }), ['key']);
  const otherBody = goodLogs();
  otherBody.calls.push({ ...first, body: '{}', sha256: hashOf('{}') });
  assert.deepEqual(rulesBroken(otherBody, { duplicates: { faults: 9 } }), ['body', 'same body']);
});

test('sees a message that overtook an earlier one of its key', () => {
  const logs = goodLogs();
  // The ERP has the second order of the first key only after the third.
  const late = logs.calls.findIndex(
    ({ idempotencyKey }) => idempotencyKey === 'event-3:order-to-erp',
  );
  replace(logs.calls, late, { atMs: 6_500 });
  const { findings } = judged(logs);
  assert.deepEqual(
    findings.map(({ rule, ids }) => [rule, ids]),
    [['order', ['c-0-2']]],
  );
  assert.deepEqual(rulesBroken(logs, { orderedAt: [] }), []);
});

test('sees a leak', () => {
  const leaks = [{ where: 'the output of intake-1', what: "the ERP's token" }];
  const [found] = judged(goodLogs(), {}, leaks).findings;
  assert.equal(found?.rule, 'leak');
  assert.deepEqual(found?.ids, ["the ERP's token in the output of intake-1"]);
});

test('sees a recovery that took too long, and nothing fresh after the fault', () => {
  const slow = goodLogs();
  replace(slow.deliveries, 0, { updatedMs: FAULT_ENDED_MS + 60_001 });
  assert.deepEqual(rulesBroken(slow), ['recovery']);
  const silent = goodLogs();
  silent.sent = silent.sent.slice(0, 6);
  silent.events = silent.events.slice(0, 6);
  silent.deliveries = silent.deliveries.slice(0, 12);
  silent.calls = silent.calls.slice(0, 12);
  assert.deepEqual(rulesBroken(silent), ['recovery']);
});

test("sees that a neighbour's messages took more than twice as long during the fault", () => {
  const logs = goodLogs();
  for (const [at, call] of logs.calls.entries()) {
    const isDuring = call.atMs >= FAULT_BEGAN_MS && call.atMs < FAULT_ENDED_MS;
    if (call.target === 'crm')
      replace(logs.calls, at, { atMs: call.atMs + (isDuring ? 400 : 180) });
  }
  assert.deepEqual(rulesBroken(logs), ['neighbour']);
  assert.deepEqual(
    [judged(logs).figures.neighbourIdleP99Ms, judged(logs).figures.neighbourFaultP99Ms],
    [200, 420],
  );
});
