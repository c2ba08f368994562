// Random histories of a few keys: what lanes, processes, people and crashes may do to deliveries, in
// any order, and what must hold after each step. The journal and its database are the real ones.

import assert from 'node:assert/strict';
import type pg from 'pg';
import type { AttemptRecord, Claim, Journal, NewEvent } from '../../src/journal/journal.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { newId } from '../../src/model/ids.ts';
import type { OrderPlace } from '../../src/model/order.ts';
import { sampleDelivery, sampleEvent } from './sample-event.ts';

export type Mode = 'block' | 'park' | 'skip' | 'latest';

export const stepKinds = [
  'append',
  'append-again',
  'claim',
  'claim-all',
  'delivered',
  'filtered',
  'retry',
  'ambiguous',
  'dead',
  'hand-back',
  'pause',
  'crash',
  'late-record',
  'reopen',
  'cancel',
  'promote',
  'replay',
  'advance',
  'backstop',
] as const;

/** `pick` chooses among what there is to choose from. */
export interface Step {
  readonly kind: (typeof stepKinds)[number];
  readonly pick: number;
}

interface Row {
  readonly id: string;
  readonly chain: string;
  readonly seq: string;
  readonly version: string | null;
  readonly state: string;
  readonly round: number;
  readonly held_by: string | null;
}

const KEYS = 2;
const DRAIN_TURNS_MAX = 200;

export interface History {
  run(step: Step): Promise<void>;
  /** Brings everything to an end as processes do by themselves; a person cancels what blocks. */
  drain(): Promise<void>;
}

/** `journals` are two processes on one database. */
export function createHistory(
  journals: readonly [Journal, Journal],
  client: pg.Client,
  mode: Mode,
): History {
  const flow = `flow-${newId()}`;
  const events: NewEvent[] = [];
  const claims: Claim[] = [];
  /** Claims of processes that have vanished, or only seem so. */
  const lost: Claim[] = [];
  const sent = new Map<string, number>();
  const [journal] = journals;

  const rows = async (): Promise<readonly Row[]> => {
    const text = `SELECT id::text, chain, seq::text, version::text, state, round, held_by
                  FROM deliveries d WHERE flow = $1 ORDER BY d.seq, d.id`;
    return (await client.query<Row>(text, [flow])).rows;
  };

  const append = async (pick: number): Promise<void> => {
    const key = `k${pick % KEYS}`;
    const place: OrderPlace =
      mode === 'latest'
        ? { key, dead: 'skip', settleMs: 0, version: String(pick % 7) }
        : { key, dead: mode };
    const event = sampleEvent({ deliveries: [sampleDelivery({ flow, order: place })] });
    events.push(event);
    await journal.append(event);
  };

  const claim = async (targets: readonly Row[]): Promise<void> => {
    await client.query('UPDATE deliveries SET due_at = now() WHERE flow = $1 AND open', [flow]);
    const answers = await Promise.all(
      targets.map((row, index) => {
        const process = journals[index % 2] as Journal;
        return process.claim({ deliveryId: row.id, round: row.round, leaseMs: 600_000 });
      }),
    );
    const given = answers.flatMap((answer) => (answer.kind === 'claimed' ? [answer.claim] : []));
    if (given.length > 0) await checkGiven(given);
    claims.push(...given);
  };

  /** Nobody is let go before an earlier one that is open, or after a newer one that was sent. */
  const checkGiven = async (given: readonly Claim[]): Promise<void> => {
    const all = await rows();
    for (const { deliveryId, chain = '' } of given) {
      const at = all.findIndex((row) => row.id === deliveryId);
      const version = all[at]?.version ?? null;
      if (version !== null) {
        assert.ok(Number(version) >= (sent.get(chain) ?? 0), 'something stale was sent');
        continue;
      }
      const earlier = all.slice(0, at).filter((row) => row.chain === chain && isOpen(row));
      assert.deepEqual(earlier, [], 'started with an earlier one open');
    }
  };

  const noteSent = async ({ deliveryId, chain = '' }: Claim): Promise<void> => {
    const row = (await rows()).find((one) => one.id === deliveryId);
    sent.set(chain, Math.max(sent.get(chain) ?? 0, Number(row?.version ?? 0)));
  };

  const record = async (pick: number, fields: Partial<AttemptRecord>): Promise<void> => {
    const one = takeOut(claims, pick);
    if (one === undefined) return;
    if (fields.state === 'delivered' || fields.attempt?.ambiguous === true) await noteSent(one);
    const { deliveryId, fence } = one;
    const { accepted } = await journal.record({ deliveryId, fence, state: 'delivered', ...fields });
    assert.equal(accepted, true, 'a living claim is recorded');
  };

  const crash = async (pick: number): Promise<void> => {
    const one = takeOut(claims, pick);
    if (one === undefined) return;
    await noteSent(one);
    lost.push(one);
    await client.query("UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE id = $1", [
      one.deliveryId,
    ]);
  };

  const lateRecord = async (pick: number): Promise<void> => {
    const one = takeOut(lost, pick);
    if (one === undefined) return;
    const { deliveryId, fence } = one;
    await journal.record({ deliveryId, fence, state: 'delivered', attempt: delivered });
  };

  /** What a person asks for may be refused in this state. */
  const change = async (row: Row | undefined, kind: 'reopen' | 'cancel' | 'promote') => {
    if (row === undefined) return;
    try {
      const answer = await journal[kind]({ deliveryId: row.id, by: 'test' });
      if ('chain' in answer && answer.chain !== undefined) await journal.advance(answer.chain);
    } catch (error) {
      if (!isCrossdockError(error, 'state-conflict')) throw error;
    }
  };

  const replay = async (row: Row | undefined): Promise<void> => {
    const original = row === undefined ? undefined : await journal.getDelivery(row.id);
    if (original !== undefined) await journal.replay({ of: [original], by: 'test' });
  };

  const backstop = async (): Promise<void> => {
    const { chains } = await journal.listWaitingChains({ limit: 1_000 });
    await Promise.all(
      chains.filter((one) => one.startsWith(flow)).map((one) => journal.advance(one)),
    );
  };

  const act = async ({ kind, pick }: Step): Promise<unknown> => {
    const all = await rows();
    const one = all[pick % Math.max(1, all.length)];
    switch (kind) {
      case 'append':
        return append(pick);
      case 'append-again': {
        const event = events[pick % Math.max(1, events.length)];
        return event === undefined ? undefined : journal.append({ ...event, id: newId() });
      }
      case 'claim':
        return claim(one === undefined ? [] : [one]);
      case 'claim-all':
        return claim(pick % 2 === 0 ? all : all.toReversed());
      case 'delivered':
        return record(pick, { state: 'delivered', attempt: delivered });
      case 'filtered':
        return record(pick, { state: 'filtered' });
      case 'retry':
        return record(pick, { state: 'retrying', dueInMs: 0, attempt: failed(false) });
      case 'ambiguous':
        return record(pick, { state: 'retrying', dueInMs: 0, attempt: failed(true) });
      case 'dead':
        return record(pick, { state: 'dead', code: 'rejected', attempt: failed(false) });
      case 'hand-back':
        return record(pick, { state: 'pending', dueInMs: 0, hubError: true });
      case 'pause':
        return record(pick, { state: 'held', heldBy: `flow:${flow}` });
      case 'crash':
        return crash(pick);
      case 'late-record':
        return lateRecord(pick);
      case 'reopen':
      case 'cancel':
      case 'promote':
        return change(one, kind);
      case 'replay':
        return replay(one);
      case 'advance':
        return journal.advance(`${flow}:k${pick % KEYS}`);
      case 'backstop':
        return backstop();
    }
  };

  /** A pause ends, and a person lets the others past what is dead. */
  const unblock = async (open: readonly Row[]): Promise<void> => {
    const paused = open.filter((row) => row.held_by?.startsWith('flow:'));
    for (const row of paused) await change(row, 'promote');
    if (paused.length > 0 || mode === 'latest' || mode === 'skip') return;
    const dead = (await rows()).filter((row) => row.state === 'dead');
    for (const row of dead) await change(row, 'cancel');
  };

  const drainTurn = async (): Promise<boolean> => {
    while (claims.length > 0) await record(0, { state: 'delivered', attempt: delivered });
    await backstop();
    const open = (await rows()).filter(isOpen);
    if (open.length === 0) return true;
    await claim(open);
    if (claims.length === 0) await unblock(open);
    return false;
  };

  return {
    async run(step) {
      await act(step);
      await checkRows(client, flow);
    },
    async drain() {
      for (let turns = 0; turns < DRAIN_TURNS_MAX; turns += 1) {
        const done = await drainTurn();
        await checkRows(client, flow);
        if (done) return;
      }
      assert.fail(`never came to an end: ${JSON.stringify(await rows())}`);
    },
  };
}

const delivered = { durationMs: 1, outcome: 'delivered', ambiguous: false } as const;

function failed(ambiguous: boolean) {
  return { durationMs: 1, outcome: 'retry', ambiguous } as const;
}

function isOpen(row: Row): boolean {
  return ['pending', 'active', 'retrying', 'held'].includes(row.state);
}

function takeOut<T>(list: T[], pick: number): T | undefined {
  return list.splice(pick % Math.max(1, list.length), 1)[0];
}

/** What holds of any flow at any time; each query names what must not be there. */
const forbidden = {
  'two of one chain are active':
    "SELECT chain FROM deliveries WHERE flow = $1 AND state = 'active' GROUP BY chain HAVING count(*) > 1",
  'an event has not exactly one delivery of its own':
    'SELECT event_id FROM deliveries WHERE flow = $1 AND replay_of IS NULL GROUP BY event_id HAVING count(*) <> 1',
  'a message is stored twice':
    'SELECT e.dedupe_key FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.flow = $1 AND d.replay_of IS NULL GROUP BY 1 HAVING count(*) > 1',
  'a flag contradicts the state': `
    SELECT id FROM deliveries WHERE flow = $1 AND NOT (
      open = (state IN ('pending', 'active', 'retrying', 'held'))
      AND dead = (state = 'dead') AND held = (state = 'held')
      AND (running IS NOT NULL) = (state = 'active')
      AND (held_by IS NOT NULL) = held AND (dead OR NOT blocks))`,
};

async function checkRows(client: pg.Client, flow: string): Promise<void> {
  for (const [what, query] of Object.entries(forbidden)) {
    assert.deepEqual((await client.query(query, [flow])).rows, [], what);
  }
}
