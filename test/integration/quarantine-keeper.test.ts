// Keeping refused requests: bounds of one connector and of all, samples, a journal that is away, and
// senders of many addresses.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { ReceiveDefinition } from '../../src/definitions/receive.ts';
import {
  createQuarantineKeeper,
  createQuarantineTurn,
  SAMPLES_PER_MINUTE,
} from '../../src/intake/quarantine.ts';
import { createRefusals } from '../../src/intake/refusals.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { NewQuarantined } from '../../src/journal/quarantine-port.ts';
import { newId } from '../../src/model/ids.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { receiveOf, requestOf } from '../support/receiver.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';

const verdict = { kind: 'refused', code: 'signature-wrong', reason: 'a test' } as const;
let journal: PostgresJournal;
let close: () => Promise<void>;
let counts: Record<string, number>;

before(async () => {
  ({ journal, close } = await openTestJournal());
});
after(() => close());
beforeEach(async () => {
  counts = {};
  await journal.quarantine.drop({});
});

const meter = {
  ...silentMeter,
  quarantine: (_source: string, what: string, count: number) => {
    counts[what] = (counts[what] ?? 0) + count;
  },
};

function receiveKeeping(quarantine: object | string): ReceiveDefinition {
  const verify = { hmac: 'sha256', header: 'X-Sig', encoding: 'hex' };
  return receiveOf({ verify, secrets: ['0123456789'], quarantine } as never);
}

function received(receive: ReceiveDefinition, body: string, address = '203.0.113.1') {
  return { connector: 'shop', receive, request: requestOf({ body, address }) };
}

function keeper(quarantine = journal.quarantine) {
  return createQuarantineKeeper({ quarantine, meter, log: quietLog });
}

const all = () => journal.quarantine.list({ limit: 500 });

test('5,000 bad ones of 5,000 addresses leave no more than the newest that are let in', async () => {
  const receive = receiveKeeping({ keep: 'all', count: 50, bytes: '1mb' });
  const keeping = keeper();
  const refusals = createRefusals({ quarantine: keeping, meter });
  for (let index = 0; index < 5_000; index += 1) {
    const address = `203.0.${index >> 8}.${index & 255}`;
    const error = refusals.note(received(receive, `body ${index}`, address), verdict);
    assert.equal(error.code, 'signature-invalid');
  }
  await keeping.close(10_000);
  assert.deepEqual(counts, { kept: 50, skipped: 4_950 });
  assert.equal((await all()).length, 50);
});

test('a sample is a few of each reason in a minute', async () => {
  const receive = receiveKeeping('sample');
  const keeping = keeper();
  for (let index = 0; index < 20; index += 1) {
    keeping.keep(received(receive, `${index}`), verdict);
    keeping.keep(received(receive, `${index}`), { ...verdict, code: 'too-old' });
  }
  keeping.keep(received(receiveKeeping('off'), 'x'), verdict);
  await keeping.close(10_000);
  assert.equal((await all()).length, 2 * SAMPLES_PER_MINUTE);
  assert.deepEqual(counts, { kept: 6, skipped: 34 });
});

test('a journal that is away drops them, and nobody waits or fails', async () => {
  const away = () => Promise.reject(new Error('away'));
  const keeping = keeper({ ...journal.quarantine, add: away });
  const receive = receiveKeeping({ keep: 'all', count: 5_000 });
  for (let index = 0; index < 1_500; index += 1) keeping.keep(received(receive, ''), verdict);
  assert.equal(counts['dropped'], 500);
  await keeping.close(10_000);
  assert.deepEqual(counts, { dropped: 1_500 });
});

function rowOf(source: string, more: Partial<NewQuarantined> = {}): NewQuarantined {
  return {
    ...{ id: newId(), source, code: 'too-old', reason: 'a test', method: 'POST', target: '/' },
    ...{ headers: {}, repeated: ['x-a'], hidden: ['header x'], sha256: '0', bytes: 9_488 },
    receivedAt: new Date(),
    body: Buffer.alloc(9_488),
    ...more,
  };
}

test('the oldest beyond the count, the bytes or the age go, and those of all together', async () => {
  const { quarantine } = journal;
  const add = async (source: string, count: number) => {
    const rows = Array.from({ length: count }, () => rowOf(source));
    await quarantine.add(rows);
    return rows.map(({ id }) => id);
  };
  const idsOf = async (source: string) => (await quarantine.list({ source })).map(({ id }) => id);
  const loose = { countMax: 100, bytesMax: 1e9, ageMsMax: 60_000 };
  const a = await add('a', 5);
  assert.equal(await quarantine.trim(new Map([['a', { ...loose, countMax: 3 }]]), 1e9), 2);
  assert.deepEqual(await idsOf('a'), a.slice(2).toReversed());
  // Each weighs its 9,488 bytes, 512 for its row, and a few for headers and target.
  await quarantine.trim(new Map([['a', { ...loose, bytesMax: 25_000 }]]), 1e9);
  assert.deepEqual(await idsOf('a'), a.slice(3).toReversed());
  await add('b', 2);
  await quarantine.add([rowOf('b', { receivedAt: new Date(Date.now() - 61_000) })]);
  assert.equal(await quarantine.trim(new Map([['b', loose]]), 1e9), 1);
  assert.equal(await quarantine.trim(new Map(), 25_000), 2);
  assert.deepEqual([(await idsOf('a')).length, (await idsOf('b')).length], [0, 2]);
});

test('housekeeping trims what has no connector any more', async () => {
  const { quarantine } = journal;
  const eightDays = 8 * 86_400_000;
  await quarantine.add([rowOf('gone', { receivedAt: new Date(Date.now() - eightDays) })]);
  await createQuarantineTurn({ journal, quarantine, connectors: new Map() }).run();
  assert.deepEqual(await quarantine.sources(), []);
});

test('one that cannot be stored takes no other with it', async () => {
  const receive = receiveKeeping({ keep: 'all' });
  const keeping = keeper({
    ...journal.quarantine,
    add: async (rows) => {
      if (rows.some(({ bytes }) => bytes === 3)) throw new RangeError('a test');
      await journal.quarantine.add(rows);
    },
  });
  for (const body of ['1', '333', '22']) keeping.keep(received(receive, body), verdict);
  await keeping.close(10_000);
  assert.deepEqual(counts, { kept: 2, dropped: 1 });
  assert.deepEqual((await all()).map(({ bytes }) => bytes).toSorted(), [1, 2]);
});

test('what PostgreSQL cannot store as text is stored all the same', async () => {
  const headers = { 'x-odd': 'a\u0000b\ud800' };
  const row = rowOf('odd', {
    headers,
    reason: 'a \u0000 test',
    target: '/\u0000',
    hidden: ['query \u0000'],
  });
  await journal.quarantine.add([row]);
  const found = await journal.quarantine.get(row.id);
  assert.deepEqual(found?.headers, { 'x-odd': 'a\ufffdb\ufffd' });
  assert.deepEqual([found?.repeated, found?.hidden], [['x-a'], ['query \ufffd']]);
});
