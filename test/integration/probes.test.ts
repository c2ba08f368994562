// Probes by a connector's `check`, against a real target: what counts as an answer, and that nobody
// waits for one that does not come.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { httpKind } from '../../src/connectors/http-connector.ts';
import { createLaneGates, type LaneGates } from '../../src/delivery/lane-gates.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { newId } from '../../src/model/ids.ts';
import { contextOf, definitionOf } from '../support/connector-parts.ts';
import { type Answer, type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 60_000;

let journal: Journal;
let close: () => Promise<void>;

before(async () => {
  ({ journal, close } = await openTestJournal());
});
after(() => close());

interface Probed {
  readonly gates: LaneGates;
  readonly target: HttpTarget;
  /** Of the lane's breaker; absent where it is closed. */
  probes(): Promise<number | undefined>;
}

/** A lane whose breaker is open, and whose connector has a check. */
async function withProbes(answer: Answer, use: (probed: Probed) => Promise<void>): Promise<void> {
  const target = await startHttpTarget(answer);
  const lane = `lane-${newId()}`;
  const definition = {
    ...definitionOf({
      id: lane,
      kind: 'http',
      fields: { baseUrl: target.url },
      operations: { ping: { get: '/ping' } },
      timeoutMs: 20_000,
    }),
    check: 'ping',
  };
  const connector = httpKind.create(definition, contextOf(tmpdir()));
  await journal.openBreaker({ connector: lane, code: 'timed-out', reason: 'no answer' });
  const gates = createLaneGates({
    gates: journal,
    lanes: { pause: async () => undefined, resume: async () => undefined },
    connectors: new Map([[lane, { connector, definition }]]),
    log: quietLog,
  });
  try {
    gates.guard(lane, async () => ({ kind: 'done', note: 'nothing' }));
    const probes = async (): Promise<number | undefined> => {
      const shut = await journal.listShutLanes();
      return shut.find((one) => one.connector === lane)?.breaker?.probes;
    };
    await use({ gates, target, probes });
  } finally {
    await connector.close();
    await gates.close();
    await target.close();
  }
}

function answering(status: number): Answer {
  return (_received, response) => response.writeHead(status).end();
}

describe('a check', { concurrency: true }, () => {
  for (const status of [200, 404, 429, 500, 503]) {
    test(`that is answered with ${status} closes the breaker`, async () => {
      await withProbes(answering(status), async ({ target, probes }) => {
        const isClosed = async () => ((await probes()) === undefined ? true : undefined);
        await waitUntil('the breaker closes', isClosed, DEADLINE_MS);
        assert.deepEqual(
          target.received.map(({ url }) => url),
          ['/ping'],
        );
      });
    });
  }

  const unanswered: Readonly<Record<string, Answer>> = {
    'is cut off': (_received, response) => response.destroy(),
    'is refused for its credentials': answering(401),
  };
  for (const [name, answer] of Object.entries(unanswered)) {
    test(`that ${name} leaves the breaker open`, async () => {
      await withProbes(answer, async ({ target, probes }) => {
        const isAgain = () => (target.received.length >= 2 ? true : undefined);
        await waitUntil('it is probed again', isAgain, DEADLINE_MS);
        assert.ok(((await probes()) ?? 0) >= 2);
      });
    });
  }
});

test('a leaving hub does not wait for a probe that is not answered', async () => {
  await withProbes(
    () => undefined,
    async ({ gates, target, probes }) => {
      const isCalled = () => (target.received.length > 0 ? true : undefined);
      await waitUntil('it is probed', isCalled, DEADLINE_MS);
      const startedMs = performance.now();
      await gates.close();
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < 10_000, `took ${tookMs} ms, and the call up to 20 s`);
      assert.equal(await probes(), 1, 'nothing was found out');
    },
  );
});
