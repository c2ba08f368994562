// A batch of claims of which a part fails after the others were given: who was given its claim must
// hear of it, or it waits for its lease and comes back as a suspect. The failures are the database's.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Claimed, Journal } from '../../src/journal/journal.ts';
import { newId } from '../../src/model/ids.ts';
import { plainPlace } from '../support/ordered-chain.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query } from '../support/test-journal-server.ts';

let journal: Journal;
let url: string;
let close: () => Promise<void>;

before(async () => {
  ({ journal, url, close } = await openTestJournal());
  await query(
    url,
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'refused by a test' USING ERRCODE = TG_ARGV[0]; END $$`,
  );
});
after(() => close());

interface Stored {
  readonly id: string;
  readonly eventId: string;
  readonly flow: string;
}

/** A delivery of a flow of its own. */
async function stored(isOrdered = false): Promise<Stored> {
  const flow = `flow-${newId()}`;
  const delivery = sampleDelivery({ flow, ...(isOrdered ? { order: plainPlace } : {}) });
  const event = sampleEvent({ deliveries: [delivery] });
  await journal.append(event);
  return { id: delivery.id, eventId: event.id, flow };
}

/** The database refuses what `when` says of an updated delivery, as long as `work` lasts. */
async function refusing<T>(when: string, sqlState: string, work: () => Promise<T>): Promise<T> {
  await query(
    url,
    `CREATE TRIGGER refused BEFORE UPDATE ON deliveries FOR EACH ROW WHEN (${when})
     EXECUTE FUNCTION refuse('${sqlState}')`,
  );
  try {
    return await work();
  } finally {
    await query(url, 'DROP TRIGGER refused ON deliveries');
  }
}

/** In one batch. */
function claimAll(...all: readonly Stored[]): Promise<readonly Claimed[]> {
  return Promise.all(
    all.map(({ id }) => journal.claim({ deliveryId: id, round: 0, leaseMs: 60_000 })),
  );
}

const kinds = (answers: readonly Claimed[]) => answers.map(({ kind }) => kind);

/** The database's disk is full; two transactions were in each other's way; a value does not fit. */
const states = { 'disk full': '53100', collision: '40P01', 'row fault': '22003' };

for (const [name, sqlState] of Object.entries(states)) {
  describe(`where a follow-up meets a ${name}`, () => {
    test('a claim is given beside one that a pause sets aside', async () => {
      const [free, paused] = [await stored(), await stored()];
      const pause = { scope: 'flow', name: paused.flow } as const;
      await journal.pause({ ...pause, by: 'a test' });
      const held = `NEW.state = 'held'`;
      const answers = await refusing(held, sqlState, () => claimAll(free, paused));
      assert.deepEqual(kinds(answers), ['claimed', 'later']);
      assert.deepEqual(kinds(await claimAll(paused)), ['gone']);
      await journal.resume({ ...pause, by: 'a test' });
    });

    for (const isOrdered of [false, true]) {
      const which = isOrdered ? 'with an order' : 'without one';
      test(`a claim ${which} is given beside one whose event retention took`, async () => {
        const [free, orphan] = [await stored(isOrdered), await stored(isOrdered)];
        await query(url, `DELETE FROM events WHERE id = '${orphan.eventId}'`);
        const cancelled = `NEW.state = 'cancelled'`;
        const answers = await refusing(cancelled, sqlState, () => claimAll(free, orphan));
        assert.deepEqual(kinds(answers), ['claimed', 'gone']);
      });
    }

    test('claims are given beside one of another chain that cannot be', async () => {
      const all = [await stored(), await stored(true), await stored(true), await stored(true)];
      const refused = `NEW.running = '${all[2]?.flow}:k'`;
      const answers = await refusing(refused, sqlState, () => claimAll(...all));
      // Where the database as a whole is in trouble those in an order are asked again together.
      const isAway = name === 'disk full';
      const inOrder = isAway ? ['later', 'later', 'later'] : ['claimed', 'later', 'claimed'];
      assert.deepEqual(kinds(answers), ['claimed', ...inOrder]);
      for (const one of all) {
        const { state } = (await journal.getDelivery(one.id)) ?? {};
        const given = answers[all.indexOf(one)]?.kind === 'claimed';
        assert.equal(state, given ? 'active' : 'pending');
      }
    });
  });
}
