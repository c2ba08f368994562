import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadResult } from '../../src/definitions/load-definitions.ts';
import { errorsOf, loadFiles } from '../support/definition-project.ts';

const connectors = {
  'connectors/shop.yaml': 'receive: { verify: none, topic: { header: X-Topic } }\n',
  'connectors/bell.yaml': 'receive: { verify: none, topic: { is: rung } }\n',
  'connectors/erp.yaml':
    'kind: web\nbaseUrl: https://erp.example\noperations: { create: { post: /a }, cancel: { post: /b } }\n',
};

function loadFlows(flows: Readonly<Record<string, string>>): Promise<LoadResult> {
  const files = Object.entries(flows).map(([id, text]) => [`flows/${id}.yaml`, text]);
  return loadFiles({ ...connectors, ...Object.fromEntries(files) });
}

async function errors(flows: Readonly<Record<string, string>>) {
  return errorsOf(await loadFlows(flows));
}

function flow(lines: string, from = '{ connector: shop, topics: [a] }'): string {
  return `from: ${from}\n${lines}\n`;
}

test('names that lead nowhere are mistakes, with the nearest name there is', async () => {
  const text = flow(
    'map: nothing\nvalidate: { input: in, output: out }\nto: epr.create\nemit: shp.x',
  );
  assert.deepEqual(await errors({ one: text }), [
    'flows/one.yaml:2:6 unknown-mapping there is no mapping "nothing" (there are no mappings at all)',
    'flows/one.yaml:3:20 unknown-schema there is no schema "in" (there are no schemas at all)',
    'flows/one.yaml:3:32 unknown-schema there is no schema "out" (there are no schemas at all)',
    'flows/one.yaml:4:5 unknown-connector there is no connector "epr" (did you mean "erp"?)',
    'flows/one.yaml:5:7 unknown-connector there is no connector "shp" (did you mean "shop"?)',
  ]);
  assert.deepEqual(await errors({ one: flow('to: erp.craete') }), [
    'flows/one.yaml:2:5 unknown-operation the connector "erp" has no operation "craete" (did you mean "create"?)',
  ]);
  assert.deepEqual(await errors({ one: flow('to: shop.create') }), [
    'flows/one.yaml:2:5 unknown-operation the connector "shop" has no operation "create"',
  ]);
});

test('nothing is said about the operations of a connector that cannot be read', async () => {
  const result = await loadFiles({
    ...connectors,
    'connectors/erp.yaml': 'kind: [web\n',
    'flows/one.yaml': flow('to: erp.whatever'),
  });
  assert.deepEqual(
    result.problems.filter(({ severity }) => severity === 'error').map(({ file }) => file),
    ['connectors/erp.yaml'],
  );
});

test('a flow may listen to what another flow emits, and to nothing else of a silent connector', async () => {
  const first = flow('to: erp.create\nemit: erp.order.created');
  const second = (topic: string) =>
    flow('to: erp.cancel', `{ connector: erp, topics: [${topic}] }`);
  assert.deepEqual(await errors({ one: first, two: second('order.created') }), []);
  assert.deepEqual(await errors({ one: first, two: second('order.craeted') }), [
    'flows/two.yaml:1:34 unknown-topic "erp" does not receive, and no flow emits "erp.order.craeted" (did you mean "order.created"?)',
  ]);
});

test('a connector with one fixed topic brings no other', async () => {
  const listen = (topic: string) =>
    flow('to: erp.create', `{ connector: bell, topics: [${topic}] }`);
  assert.deepEqual(await errors({ one: listen('rung') }), []);
  assert.deepEqual(await errors({ one: listen('rang') }), [
    'flows/one.yaml:1:35 unknown-topic "bell" has one fixed topic, and no flow emits "bell.rang" (did you mean "rung"?)',
  ]);
});

test('a flow that emits what leads back to it is a loop, also over other flows', async () => {
  assert.deepEqual(await errors({ one: flow('to: erp.create\nemit: shop.a') }), [
    'flows/one.yaml:3:7 emit-loop what it emits leads back to it: one → one',
  ]);
  const found = await errors({
    one: flow('to: erp.create\nemit: erp.b'),
    two: flow('to: erp.create\nemit: shop.a', '{ connector: erp, topics: [b] }'),
    aside: flow('to: erp.create\nemit: erp.end', '{ connector: erp, topics: [b] }'),
  });
  assert.deepEqual(found, [
    'flows/one.yaml:3:7 emit-loop what it emits leads back to it: one → two → one',
    'flows/two.yaml:3:7 emit-loop what it emits leads back to it: two → one → two',
  ]);
});

test('the retry policy must make sense as a whole', async () => {
  const retry = (text: string) => errors({ one: flow(`to: erp.create\nretry: { ${text} }`) });
  assert.deepEqual(await retry('first: 2h'), [
    'flows/one.yaml:3:8 wrong-value "retry.max" is shorter than "retry.first" (max is 1h where it is not given)',
  ]);
  assert.match(
    (await retry('first: 10ms'))[0] ?? '',
    /3:17 wrong-value "retry.first" must be at least/,
  );
  assert.match((await retry('horizon: 31d'))[0] ?? '', /must be at most 30d/);
  assert.match((await retry('horizon: 1s'))[0] ?? '', /ends before the second attempt/);
  assert.deepEqual(await retry('horizon: 1s, attempts: 1'), []);
  assert.match((await retry('attempts: 1000'))[0] ?? '', /3:20 wrong-value .* must be at most 100/);
  assert.match((await retry('tries: 3'))[0] ?? '', /unknown-field "tries"/);
});

test('order is part of the revision, with its defaults', async () => {
  const orderOf = async (order: string) => {
    const { definitions } = await loadFlows({ one: flow(`to: erp.create\norder: { ${order} }`) });
    return definitions?.flows.get('one')?.revision.order;
  };
  assert.deepEqual(await orderOf('by: id'), { by: 'id', dead: 'block', settleMs: 2_000 });
  assert.equal((await orderOf('by: $event.shop, dead: park'))?.dead, 'park');
  assert.deepEqual(await orderOf('by: sku, version: updated_at, keep: latest, settle: 500ms'), {
    by: 'sku',
    version: 'updated_at',
    keep: 'latest',
    dead: 'skip',
    settleMs: 500,
  });
});

test('what is wrong with an order stands where it is written', async () => {
  const order = async (text: string) => errors({ one: flow(`to: erp.create\norder: { ${text} }`) });
  assert.deepEqual(await order('by: "customer..id"'), [
    'flows/one.yaml:3:14 wrong-value "order.by": "customer..id" is no path: it breaks at character 9 (write names with dots, such as customer.id or line_items[0].sku; odd names in `…`)',
  ]);
  assert.deepEqual(await order('by: $event.id'), [
    'flows/one.yaml:3:14 wrong-value "order.by": "$event.id" is nothing that a path can lead to (beside the body there is $event.source, $event.topic, $event.shop)',
  ]);
  assert.deepEqual(await order('by: id, keep: latest'), [
    'flows/one.yaml:3:18 missing-field "order.keep" needs "order.version": which of two events is the newer (name a field that grows, such as version: updated_at)',
  ]);
  assert.deepEqual(await order('by: id, version: v, settle: 1s'), [
    'flows/one.yaml:3:18 wrong-value "order.version" has no effect without "order.keep: latest"',
    'flows/one.yaml:3:30 wrong-value "order.settle" has no effect without "order.keep: latest"',
  ]);
  assert.deepEqual(await order('by: id, version: v, keep: latest, dead: park'), [
    'flows/one.yaml:3:44 wrong-value "order.dead" has no effect with "order.keep: latest": the newest waits for no other',
  ]);
  assert.match(
    (await order('by: id, version: v, keep: latest, settle: 2h'))[0] ?? '',
    /at most 1h/,
  );
  assert.match((await order('by: id, dead: wait'))[0] ?? '', /wrong-value "order.dead"/);
  assert.match((await order('keep: latest'))[0] ?? '', /missing-field/);
});

test('a mistake in the topics hides no mistake in the connector', async () => {
  const text = flow('to: erp.create', '{ connector: shopp, topics: orders/create }');
  assert.deepEqual(await errors({ one: text }), [
    'flows/one.yaml:1:20 unknown-connector there is no connector "shopp" (did you mean "shop"?)',
    'flows/one.yaml:1:35 wrong-type "from.topics" must be a list, not text',
  ]);
});

test('a mistake in one field of retry hides none in the others, and makes none of its own', async () => {
  const retry = (text: string) => errors({ one: flow(`to: erp.create\nretry: { ${text} }`) });
  const found = await retry('attempts: many, first: 10ms, max: soon');
  assert.deepEqual(
    found.map((line) => line.split(' ').slice(0, 3).join(' ')),
    [
      'flows/one.yaml:3:20 wrong-type "retry.attempts"',
      'flows/one.yaml:3:33 wrong-value "retry.first"',
      'flows/one.yaml:3:44 wrong-value "retry.max"',
    ],
  );
  assert.equal((await retry('first: 2h, max: soon')).length, 1);
});

test('a flow without from or to is told so', async () => {
  assert.deepEqual(await errors({ one: 'when: a\n' }), [
    'flows/one.yaml:1:1 missing-field "from" is missing in this file (Which events go this way)',
    'flows/one.yaml:1:1 missing-field "to" is missing in this file (Where the message goes: <connector>.<operation>)',
  ]);
  assert.match(
    (await errors({ one: flow('to: erp') }))[0] ?? '',
    /2:5 wrong-value "to" is not written in its form \(for example erp.createSalesOrder\)/,
  );
});

test('a flow may listen to the hub itself, to topics that it has', async () => {
  const listen = (topics: string) =>
    flow('to: erp.create', `{ connector: crossdock, topics: [${topics}] }`);
  assert.deepEqual(await errors({ one: listen('problem-opened, lag-high') }), []);
  assert.deepEqual(await errors({ one: listen('problem-opend') }), [
    'flows/one.yaml:1:40 unknown-topic the hub tells nothing of the topic "problem-opend" (did you mean "problem-opened"?)',
  ]);
  const [misspelt] = await errors({
    one: flow('to: erp.create', '{ connector: crosdock, topics: [lag-high] }'),
  });
  assert.match(String(misspelt), /no connector "crosdock" \(did you mean "crossdock"\?\)/);
});

test('nothing else may be called crossdock', async () => {
  const [to] = await errors({ one: flow('to: crossdock.create') });
  assert.match(String(to), /^flows\/one.yaml:2:5 reserved-name /);
  const [emit] = await errors({ one: flow('to: erp.create\nemit: crossdock.lag-high') });
  assert.match(String(emit), /^flows\/one.yaml:3:7 reserved-name /);
  const result = await loadFiles({
    'connectors/crossdock.yaml': 'receive: { verify: none, topic: { is: a } }\n',
  });
  assert.match(errorsOf(result).join('\n'), /connectors\/crossdock.yaml:1:1 reserved-name /);
});
