// A delivery in doubt is looked for before it is sent again. The target here has no idempotency key:
// each POST that it works on is one more order.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import type { Mapper } from '../../src/mapping/mapper.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { type AttemptRig, withAttempts } from '../support/attempt-rig.ts';
import type { Received } from '../support/http-target.ts';
import { startMapper } from '../support/mapping-pool.ts';

const mapper = startMapper();

const operations = `
  createOrder:
    post: /orders
    result: '{ "number": number, "id": $sent.id }'
    lookup: { operation: findOrder, found: "$exists(body.orders[externalId = $sent.id])" }
  findOrder:
    get: /orders
    query: { externalId: "{id}" }
    result: '{ "number": orders[0].number, "id": $sent.id }'`;

const flow = 'retry: { attempts: 5, first: 100ms }\nemit: erp.order-created';

/** What becomes of one POST: the work done or not, and an answer or a connection that breaks. */
type Turn = 'works' | 'works-and-breaks' | 'breaks' | 'busy';

interface Erp {
  readonly orders: readonly string[];
  readonly looks: readonly string[];
  next(turn: Turn): void;
  nextLook(status: number): void;
}

async function withErp(
  use: (erp: Erp, rig: AttemptRig) => Promise<void>,
  files: { readonly operations?: string; readonly flow?: string } = {},
): Promise<void> {
  const orders: string[] = [];
  const looks: string[] = [];
  let turn: Turn = 'works';
  let lookStatus = 200;
  const post = ({ body }: Received, response: ServerResponse) => {
    if (turn === 'works' || turn === 'works-and-breaks') orders.push(body);
    if (turn === 'busy') return response.writeHead(503).end();
    if (turn !== 'works') return response.destroy();
    return response.writeHead(201).end(JSON.stringify({ number: `SO-${orders.length}` }));
  };
  const look = ({ url }: Received, response: ServerResponse) => {
    looks.push(url);
    const found = orders.map((order, index) => {
      const { id } = JSON.parse(order) as { id: number };
      return { externalId: id, number: `SO-${index + 1}` };
    });
    response.writeHead(lookStatus).end(JSON.stringify({ orders: found }));
  };
  const answer = (received: Received, response: ServerResponse) => {
    if (received.method === 'GET') look(received, response);
    else post(received, response);
  };
  await withAttempts({ operations, flow, mapper, answer, ...files }, (rig) =>
    use(
      {
        orders,
        looks,
        next: (given) => {
          turn = given;
        },
        nextLook: (given) => {
          lookStatus = given;
        },
      },
      rig,
    ),
  );
}

describe('a delivery in doubt', () => {
  test('whose work is done is found, and the target has exactly one order', async () => {
    await withErp(async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      erp.next('works-and-breaks');
      const first = await attempt();
      assert.equal(first.state, 'retrying');
      assert.equal(first.inDoubt, true);
      erp.next('works');
      const second = await attempt();
      assert.equal(second.state, 'delivered');
      assert.equal(
        second.reason,
        'erp.findOrder found it: an earlier attempt had worked, nothing was sent',
      );
      assert.match(second.attempt?.request ?? '', /GET http.*\/orders\?externalId=7/);
      assert.equal(second.result, '{"number":"SO-1","id":7}');
      assert.deepEqual(second.emits, {
        source: 'erp',
        topic: 'order-created',
        body: '{"number":"SO-1","id":7}',
      });
      assert.deepEqual(erp.orders, ['{"id":7}']);
      assert.deepEqual(erp.looks, ['/orders?externalId=7']);
    });
  });

  test('whose work is not done is sent, and is in doubt no more', async () => {
    await withErp(async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      erp.next('breaks');
      await attempt();
      erp.next('busy');
      const second = await attempt();
      assert.equal(second.code, 'remote-error');
      assert.equal(second.inDoubt, false);
      erp.next('works');
      assert.equal((await attempt()).result, '{"number":"SO-1","id":7}');
      assert.equal(erp.looks.length, 1);
      assert.equal(erp.orders.length, 1);
    });
  });

  test('is found by an attempt that comes long after the one that worked', async () => {
    await withErp(async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      erp.next('works-and-breaks');
      await attempt();
      erp.nextLook(503);
      const second = await attempt();
      assert.equal(second.state, 'retrying');
      assert.equal(second.code, 'remote-error');
      assert.match(
        second.reason ?? '',
        /^erp.findOrder could not tell .* nothing was sent: ERP answered 503/,
      );
      assert.equal(second.attempt?.spends, undefined);
      assert.equal(second.attempt?.ambiguous, false);
      assert.equal(second.inDoubt, true);
      erp.nextLook(200);
      assert.equal((await attempt()).state, 'delivered');
      assert.equal(erp.orders.length, 1);
    });
  });

  test('counts a 404 of the look as not there, and any other refusal as no answer', async () => {
    await withErp(async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      erp.next('breaks');
      await attempt();
      erp.next('works');
      erp.nextLook(400);
      const refused = await attempt();
      assert.deepEqual([refused.state, refused.code], ['retrying', 'remote-error']);
      assert.equal(erp.orders.length, 0);
      erp.nextLook(404);
      assert.equal((await attempt()).state, 'delivered');
      assert.equal(erp.orders.length, 1);
    });
  });

  test('whose test cannot be evaluated is not sent', async () => {
    const broken = operations.replace(
      '$exists(body.orders[externalId = $sent.id])',
      "$number('x')",
    );
    await withErp(
      async (erp, { begin }) => {
        const verdict = await begin('{"id":7}')({ ambiguous: true });
        assert.deepEqual([verdict.state, verdict.code], ['retrying', 'response-unusable']);
        assert.match(verdict.reason ?? '', /connectors\/erp\.yaml:\d+/);
        assert.equal(erp.orders.length, 0);
      },
      { operations: broken },
    );
  });

  test('whose look is answered with more than is read is not sent', async () => {
    await withErp(async (_erp, { begin, target }) => {
      const answer = JSON.stringify({ orders: [{ externalId: 7, note: 'x'.repeat(200_000) }] });
      target.answer((_received, response) => response.end(answer));
      const verdict = await begin('{"id":7}')({ ambiguous: true });
      assert.deepEqual([verdict.state, verdict.code], ['retrying', 'response-unusable']);
      assert.match(verdict.reason ?? '', /nothing was sent: .*longer than the 131072 bytes/);
      assert.deepEqual(
        target.received.map(({ method }) => method),
        ['GET'],
      );
    });
  });

  test('takes the result of its own operation where the lookup has none', async () => {
    const own = operations.replace(/\n {4}result: '{ "number": orders.*/, '');
    await withErp(
      async (erp, { begin }) => {
        const attempt = begin('{"id":7}');
        erp.next('works-and-breaks');
        await attempt();
        assert.equal((await attempt()).result, '{"id":7}');
      },
      { operations: own },
    );
  });
});

describe('a call that worked, whose result the mapper does not take', () => {
  test('is in doubt and spends nothing, and is looked up before it is sent again', async () => {
    await withErp(async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      const first = await attempt({}, undefined, { mapper: await leavingMapper() });
      assert.deepEqual([first.state, first.code], ['retrying', 'hub-error']);
      assert.deepEqual([first.inDoubt, first.hubError], [true, true]);
      const { outcome, ambiguous, spends, status } = first.attempt ?? {};
      assert.deepEqual([outcome, ambiguous, spends, status], ['retry', true, false, 201]);
      assert.match(first.reason ?? '', /^ERP answered 201; .* mapper/);
      const second = await attempt();
      assert.deepEqual([second.state, second.result], ['delivered', '{"number":"SO-1","id":7}']);
      assert.deepEqual([erp.looks.length, erp.orders.length], [1, 1]);
    });
  });

  test('is in doubt also where the hub leaves meanwhile', async () => {
    await withErp(async (_erp, { begin, target }) => {
      const leaving = new AbortController();
      const mapper = await leavingMapper();
      target.answer((_received, response) => {
        leaving.abort();
        response.writeHead(201).end('{"number":"SO-1"}');
      });
      const verdict = await begin('{"id":7}')({}, leaving.signal, { mapper });
      const { inDoubt, attempt: made, reason = '' } = verdict;
      assert.deepEqual([inDoubt, made?.ambiguous, made?.spends], [true, true, false]);
      assert.match(reason, /not counted, since its process was leaving$/);
    });
  });

  test('is delivered without its result where nothing is made of that', async () => {
    await withErp(
      async (erp, { begin }) => {
        const verdict = await begin('{"id":7}')({}, undefined, { mapper: await leavingMapper() });
        assert.deepEqual([verdict.state, verdict.code], ['delivered', 'response-unusable']);
        assert.equal(erp.orders.length, 1);
      },
      { flow: '' },
    );
  });
});

async function leavingMapper(): Promise<Mapper> {
  const leaving = startMapper();
  await leaving.close();
  return leaving;
}

test('nothing is looked up where nothing is in doubt', async () => {
  await withErp(async (erp, { begin }) => {
    const attempt = begin('{"id":7}');
    erp.next('busy');
    assert.equal((await attempt()).inDoubt, false);
    erp.next('works');
    assert.equal((await attempt()).state, 'delivered');
    assert.equal(erp.looks.length, 0);
  });
});

test('a doubt stays over an attempt that surely did not reach the target', async () => {
  const none = '\n  createOrder: { post: /orders }';
  await withErp(
    async (erp, { begin }) => {
      const attempt = begin('{"id":7}');
      erp.next('breaks');
      assert.equal((await attempt()).inDoubt, true);
      erp.next('busy');
      const second = await attempt();
      assert.equal(second.attempt?.ambiguous, false);
      assert.equal(second.inDoubt, true);
      erp.next('works');
      assert.equal((await attempt()).inDoubt, false);
    },
    { operations: none, flow: '' },
  );
});

test('a look begins only where the call after it fits into the claim too', async () => {
  await withErp(async (erp, { begin }) => {
    const attempt = begin('{"id":7}');
    const soon = { ambiguous: true, sendBeforeMs: performance.now() + 900 };
    await assert.rejects(attempt(soon), (error) => isCrossdockError(error, 'overloaded'));
    assert.equal(erp.looks.length, 0);
    const later = { ambiguous: true, sendBeforeMs: performance.now() + 30_000 };
    assert.equal((await attempt(later)).state, 'delivered');
    assert.deepEqual([erp.looks.length, erp.orders.length], [1, 1]);
  });
});
