import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asShown, findShutGates, gateWords } from '../../src/delivery/shown-state.ts';
import { deliveryStates } from '../../src/model/delivery.ts';

const shut = new Map([
  ['connector:erp', 'lane paused by cli'],
  ['flow:order-to-mail', 'flow paused by api'],
  ['operation:crm.create', 'operation paused by hub'],
]);
const place = { connector: 'erp', flow: 'order-to-erp', operation: 'create' };

test('in a lane that is shut what waits is held, with the reason, and the rest stays', () => {
  for (const state of deliveryStates) {
    const delivery = { ...place, state, code: 'remote-error', reason: 'status 503' } as const;
    const waits = state === 'pending' || state === 'retrying';
    const held = { ...place, state: 'held', reason: 'lane paused by cli' };
    assert.deepEqual(asShown(delivery, shut), waits ? held : delivery, state);
    const elsewhere = { ...delivery, connector: 'mail' };
    assert.deepEqual(asShown(elsewhere, shut), elsewhere, state);
  }
});

test('a delivery of a paused flow or operation is held whether the journal has set it aside or not', () => {
  const toMail = { connector: 'mail', flow: 'order-to-mail', operation: 'send' };
  const toCrm = { connector: 'crm', flow: 'order-to-crm', operation: 'create' };
  for (const [delivery, key] of [
    [toMail, 'flow:order-to-mail'],
    [toCrm, 'operation:crm.create'],
  ] as const) {
    const reason = shut.get(key);
    assert.equal(asShown({ ...delivery, state: 'pending', reason: '' }, shut).reason, reason);
    const aside = asShown({ ...delivery, state: 'held', heldBy: key, reason: '' }, shut);
    assert.equal(aside.reason, reason);
  }
});

test('what is held for something else keeps what the journal says', () => {
  const delivery = { ...place, state: 'held', heldBy: 'order', reason: 'behind another' } as const;
  assert.deepEqual(asShown(delivery, shut), delivery);
});

test('each gate says in words why', async () => {
  const at = new Date('2026-11-22T09:30:12.345Z');
  const breaker = { at, code: 'timed-out', reason: 'no answer in 20 s', probes: 1, probeInMs: 0 };
  const gates = {
    listPauses: async () => [
      { scope: 'flow', name: 'a', at, by: 'api', reason: 'a test' } as const,
      { scope: 'connector', name: 'erp', at, by: 'cli' } as const,
    ],
    listShutLanes: async () => [
      { connector: 'erp', pause: { at, by: 'cli' }, breaker },
      { connector: 'mail', breaker },
      { connector: 'crm', rest: { forMs: 1_200, reason: 'status 429' } },
    ],
  };
  assert.deepEqual(
    [...(await findShutGates(gates))],
    [
      ['flow:a', 'flow paused by api since 2026-11-22 09:30Z: a test'],
      ['connector:erp', 'lane paused by cli since 2026-11-22 09:30Z'],
      [
        'connector:mail',
        'lane held since 2026-11-22 09:30Z, its target is away: no answer in 20 s',
      ],
      ['connector:crm', 'lane rests for 2 s: status 429'],
    ],
  );
});

test('an operation that the hub paused is disabled; one that a person paused is paused', () => {
  const at = new Date('2026-11-22T09:30:12.345Z');
  const pause = { scope: 'operation', name: 'erp.create', at } as const;
  assert.equal(
    gateWords({ ...pause, by: 'hub', reason: 'the ERP answered 410' }),
    'operation disabled by the hub since 2026-11-22 09:30Z: the ERP answered 410',
  );
  assert.equal(
    gateWords({ ...pause, by: 'anna' }),
    'operation paused by anna since 2026-11-22 09:30Z',
  );
});
