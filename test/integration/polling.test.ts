// Events that are fetched, on a real journal, by a real HTTP connector.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Connector } from '../../src/connectors/connector.ts';
import type { ReceiveDefinition } from '../../src/definitions/receive.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type PollerPorts, pollOnce } from '../../src/polling/poller.ts';
import { lastRun, scheduledEvent } from '../../src/polling/schedule-events.ts';
import { storeEvents } from '../../src/polling/store-events.ts';
import { connectorAt } from '../support/http-connector.ts';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { receiveOf } from '../support/receiver.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';

const id = 820_982_911_946_154_508n;

function order(number: number, time: string): string {
  return `{"id": ${id + BigInt(number)}, "total": 10.00, "updated_at": "${time}"}`;
}

describe('a poller', () => {
  let journal: PostgresJournal;
  let close: () => Promise<void>;
  let target: HttpTarget;
  let connector: Connector;
  let ports: PollerPorts;
  let source = 'orders-0';
  let turns = 0;

  before(async () => {
    ({ journal, close } = await openTestJournal());
    target = await startHttpTarget();
    connector = connectorAt(target.url, {
      operation: { get: '/orders', query: { since: '{since}', page: '{page}' } },
    });
    ports = {
      journal,
      lanes: { add: async () => undefined },
      routes: { route: () => [] },
      log: quietLog,
      pollers: journal.pollers,
    };
  });
  after(async () => {
    await connector.close();
    await target.close();
    await close();
  });
  beforeEach(() => {
    turns += 1;
    source = `orders-${turns}`;
  });

  function receive(poll: JsonObject): ReceiveDefinition {
    return receiveOf({
      topic: { is: 'order.changed' },
      dedupe: { template: '{json:id}:{json:updated_at}' },
      poll: { operation: 'call', every: '10s', items: 'orders[]', ...poll },
    });
  }

  async function poll(fields: JsonObject = {}) {
    const received = receive(fields);
    assert.ok(received.poll !== undefined);
    const polled = { id: source, receive: received, poll: received.poll, connector };
    return pollOnce(polled, ports, new AbortController().signal);
  }

  function answerWith(...orders: string[]): void {
    target.answer((_received, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(`{"orders": [${orders.join(', ')}]}`);
    });
  }

  const sinceOf = () => new URL(target.received.at(-1)?.url ?? '', target.url).searchParams;
  test('stores each item as it was written, once, and begins where it ended, less the overlap', async () => {
    const cursor = { json: 'updated_at' };
    answerWith(order(1, '2026-11-20T10:00:00Z'), order(2, '2026-11-20T12:00:00Z'));
    const fields = { cursor, from: '2026-11-01T00:00:00Z', overlap: '1h' };
    assert.deepEqual(await poll(fields), { kind: 'listed', items: 2, stored: 2 });
    assert.equal(sinceOf().get('since'), '2026-11-01T00:00:00Z');
    const events = await journal.listEvents({ source });
    assert.equal(events.length, 2);
    const first = await journal.getEvent(events.at(-1)?.id ?? '');
    assert.equal(first?.body.toString(), order(1, '2026-11-20T10:00:00Z'));
    assert.equal(await poll(fields), undefined, 'not due yet');
    const [view] = (await journal.pollers.list()).filter((one) => one.source === source);
    assert.equal(view?.cursor, '2026-11-20T12:00:00Z');
  });

  test('goes through the pages, and fails where there are too many without moving', async () => {
    target.answer((received, response) => {
      const page = Number(new URL(received.url, target.url).searchParams.get('page'));
      const orders = page < 4 ? [order(page, `2026-11-20T1${page}:00:00Z`)] : [];
      response.setHeader('content-type', 'application/json');
      response.end(`{"orders": [${orders.join()}]}`);
    });
    const fields = { cursor: { json: 'updated_at' }, next: 'count' };
    assert.deepEqual(await poll(fields), { kind: 'listed', items: 3, stored: 3 });
    source = `${source}-few`;
    const failed = await poll({ ...fields, pagesMax: 2 });
    assert.ok(failed?.kind === 'failed');
    assert.match(failed.reason, /more than 2 pages/);
    const [view] = (await journal.pollers.list()).filter((one) => one.source === source);
    assert.equal(view?.cursor, undefined);
    assert.equal(view?.failures, 1);
    assert.match(view?.error ?? '', /pagesMax/);
  });

  test('keeps its cursor where the system answers something else', async () => {
    target.answer((_received, response) => response.end('<html>down for maintenance</html>'));
    const failed = await poll({ cursor: { json: 'updated_at' } });
    assert.ok(failed?.kind === 'failed');
    target.answer((_received, response) => {
      response.statusCode = 503;
      response.end('away');
    });
    source = `${source}-away`;
    const away = await poll();
    assert.ok(away?.kind === 'failed');
    assert.match(away.reason, /503/);
  });

  test('is one over all processes: the second finds the turn taken', async () => {
    let answers = 0;
    target.answer((_received, response) => {
      answers += 1;
      setTimeout(() => response.end('{"orders": []}'), 200);
    });
    const both = await Promise.all([poll(), poll()]);
    assert.deepEqual(both.filter((one) => one !== undefined).length, 1);
    assert.equal(answers, 1);
  });

  test('reads XML as well', async () => {
    target.answer((_received, response) => {
      response.setHeader('content-type', 'application/xml');
      response.end(
        '<?xml version="1.0"?><x><Orders><id>1</id></Orders><Orders><id>2</id></Orders></x>',
      );
    });
    assert.deepEqual(await poll({ items: 'x.Orders[]' }), { kind: 'listed', items: 2, stored: 2 });
    for (const [orders, items] of [
      ['<Orders><id>3</id></Orders>', 1],
      ['', 0],
    ] as const) {
      source = `${source}-${items}`;
      target.answer((_received, response) => {
        response.setHeader('content-type', 'application/xml');
        response.end(`<?xml version="1.0"?><x><n>1</n>${orders}</x>`);
      });
      assert.deepEqual(await poll({ items: 'x.Orders[]' }), {
        kind: 'listed',
        items,
        stored: items,
      });
    }
    source = `${source}-page`;
    target.answer((_received, response) => response.end('the shop is closed'));
    assert.equal((await poll({ items: 'x.Orders[]' }))?.kind, 'failed');
  });
});

describe('a schedule', () => {
  const schedule = { cron: '0 6 * * 1-5', timezone: 'Europe/Berlin', topic: 'morning', body: {} };

  test('comes by the clock of its zone, also over a change of the hour', () => {
    const run = (after: string, until: string) =>
      lastRun(schedule, new Date(after), new Date(until))?.toISOString();
    assert.equal(
      run('2026-11-23T04:00:00Z', '2026-11-23T05:00:00Z'),
      '2026-11-23T05:00:00.000Z',
      'on the minute',
    );
    assert.equal(run('2026-11-23T05:00:00Z', '2026-11-23T06:00:00Z'), undefined, 'only once');
    assert.equal(run('2026-11-20T06:00:00Z', '2026-11-22T12:00:00Z'), undefined, 'no weekend');
    assert.equal(run('2026-07-01T00:00:00Z', '2026-07-01T05:00:00Z'), '2026-07-01T04:00:00.000Z');
  });

  test('makes one event, whichever process is first', async () => {
    const { journal, close } = await openTestJournal();
    const lanes = { add: async () => undefined };
    const routes = { route: () => [] };
    const at = new Date('2026-11-23T05:00:00Z');
    const stored = await Promise.all(
      [1, 2].map(() =>
        storeEvents([scheduledEvent('clock', { schedule, at }, routes)], {
          ...{ journal, lanes, routes },
          log: quietLog,
        }),
      ),
    );
    assert.deepEqual(stored.toSorted(), [0, 1]);
    const [event] = await journal.listEvents({ source: 'clock' });
    const whole = await journal.getEvent(event?.id ?? '');
    assert.equal(whole?.body.toString(), '{"scheduledAt":"2026-11-23T05:00:00.000Z"}');
    await close();
  });
});
