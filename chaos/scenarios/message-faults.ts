// The vendor repeats itself or sends what it should not; a mapping fails, explodes or never ends.

import { readFile } from 'node:fs/promises';
import type { Ending, Finding } from '../checker.ts';
import { findingOf } from '../finding.ts';
import { createOrder } from '../orders.ts';
import { flowFile } from '../project.ts';
import type { Rig } from '../rig.ts';
import { endingsByFlow, oneDelivery, type Scenario, usualFlows } from '../scenario.ts';
import { oddBodies } from './odd-bodies.ts';

const REPEATED = 60;

const vendorRepeats: Scenario = {
  id: 'F23',
  title: `${REPEATED} webhooks come three times each, at once, at three processes`,
  promise: 'one event each; every copy is answered 2xx with the id of the first',
  lanes: ['redis', 'postgres'],
  lanesAside: true,
  quick: true,
  rig: { intakes: 3, deliveries: 1 },
  async fault(rig) {
    for (let number = 1; number <= REPEATED; number += 1) {
      const order = createOrder({ number: 100_000 + number, key: 'twin', sequence: number });
      const message = rig.producer.note(order);
      await Promise.all([1, 2, 3].map(() => rig.producer.tryOnce(message)));
    }
  },
  check: (_rig, { sent }) =>
    findingOf(
      'repeats',
      sent.filter(({ key, tries }) => key === 'twin' && tries.some(({ status }) => status !== 200)),
      { message: 'a copy that was not answered 200', id: ({ id }) => id },
    ),
};

const CHANGED = 30;

const vendorChangesBody: Scenario = {
  id: 'F24',
  title: `${CHANGED} webhooks come again under their id with another body`,
  promise: 'answered 2xx with the id of the first, whose body stays; each is warned of',
  lanes: ['redis'],
  rig: oneDelivery,
  quick: true,
  async fault(rig) {
    for (let number = 1; number <= CHANGED; number += 1) {
      const key = `changed-${number}`;
      const message = await rig.producer.send(
        createOrder({ number: 200_000 + number, key, sequence: 1 }),
      );
      const changed = Buffer.from(message.body.toString().replace('"seq":1', '"seq":2'));
      await rig.producer.tryOnce(message, changed);
    }
  },
  async check(rig, { sent }): Promise<readonly Finding[]> {
    const changed = sent.filter(({ key }) => key.startsWith('changed-'));
    const warned = await countInOutputs(rig, 'same id came with another body');
    const refused = changed.filter(({ tries }) => tries.at(-1)?.status !== 200);
    return [
      ...findingOf('conflict', refused, { message: 'not answered 200', id: ({ id }) => id }),
      ...(warned >= CHANGED
        ? []
        : [{ rule: 'conflict', message: `${warned} warnings for ${CHANGED} conflicts`, ids: [] }]),
    ];
  },
};

async function countInOutputs(rig: Rig, text: string): Promise<number> {
  const outputs = await Promise.all(rig.hubs.map((hub) => readFile(hub.outputFile, 'utf8')));
  return outputs.join('').split(text).length - 1;
}

const POISON_TOPIC = 'orders/updated';
const POISONED = 20;

function poison(
  scenario: Pick<Scenario, 'id' | 'variant' | 'title' | 'promise'>,
  mapping: string,
  endings: readonly Ending[],
): Scenario {
  return {
    ...scenario,
    lanes: ['redis', 'postgres'],
    lanesAside: true,
    quick: true,
    rig: {
      files: () => ({
        'flows/poison.yaml': flowFile({
          topic: POISON_TOPIC,
          to: 'erp.createOrder',
          map: 'poison',
        }),
        'mappings/poison.jsonata': `/* input: an order; output: nothing, ever */\n${mapping}\n`,
      }),
    },
    expect: {
      flows: [
        ...usualFlows,
        { flow: 'poison', topic: POISON_TOPIC, target: 'erp', body: () => undefined },
      ],
      endings: endingsByFlow({ poison: endings }),
    },
    async fault(rig) {
      for (let number = 1; number <= POISONED; number += 1) {
        const key = `poison-${number}`;
        await rig.producer.send(
          createOrder({ number: 300_000 + number, key, sequence: 1, topic: POISON_TOPIC }),
        );
      }
    },
  };
}

const mappingFails = poison(
  {
    id: 'F27',
    title: `${POISONED} orders whose mapping always fails`,
    promise: 'dead with the reason; neighbours flow',
  },
  '$error("poison " & seq)',
  [{ state: 'dead', code: 'mapping-failed' }],
);

const mappingExplodes = poison(
  {
    id: 'F28',
    title: `${POISONED} orders whose mapping eats all memory`,
    promise: 'only its own child process dies; dead with the reason; no innocent is',
  },
  '{ "text": $pad("x", 1e8) & seq }',
  ['mapping-crashed', 'mapping-too-large', 'mapping-failed'].map((code) => ({
    state: 'dead',
    code,
  })),
);

const mappingLoops = poison(
  {
    id: 'F29',
    title: `${POISONED} orders whose mapping never ends`,
    promise: 'ended by the limit; dead with the reason; neighbours flow',
  },
  '( $loop := function($n) { $loop($n + 1) }; { "text": $loop(seq) } )',
  ['mapping-timed-out', 'mapping-failed'].map((code) => ({ state: 'dead', code })),
);

const ODD_TOPIC = 'orders/edited';

const oddOnes: Scenario = {
  id: 'F33',
  title: `${oddBodies.length} signed bodies that are no proper JSON: cut off, Latin-1, NUL, too deep`,
  promise: 'acknowledged and kept to the byte; what cannot be read is dead with the reason',
  lanes: ['redis', 'postgres'],
  lanesAside: true,
  quick: true,
  rig: {
    ...oneDelivery,
    files: () => ({
      'flows/odd.yaml': flowFile({ topic: ODD_TOPIC, to: 'erp.createOrder', map: 'odd' }),
      'mappings/odd.jsonata': '/* input: anything; output: the same for all */\n{ "odd": true }\n',
    }),
  },
  expect: {
    flows: [
      ...usualFlows,
      { flow: 'odd', topic: ODD_TOPIC, target: 'erp', body: () => '{"odd":true}' },
    ],
    endings: ({ expected, message }) =>
      expected.flow === 'odd'
        ? (oddBodies[message.sequence - 1]?.endings ?? [])
        : [{ state: 'delivered' }],
  },
  async fault(rig) {
    for (const [index, { body }] of oddBodies.entries()) {
      const draft = { topic: ODD_TOPIC, key: `odd-${index}`, sequence: index + 1, body };
      await rig.producer.send(draft);
    }
  },
};

export const messageFaults: readonly Scenario[] = [
  vendorRepeats,
  vendorChangesBody,
  mappingFails,
  mappingExplodes,
  mappingLoops,
  oddOnes,
];
