// Keeps chains moving: when a delivery leaves its chain, the next one gets its lane job. What is
// missed here (the process ends, the journal is away) is found by the leader's turn.

import type { Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Lanes } from '../queue/lanes.ts';
import { laneJobOf } from './controls.ts';
import type { Settled } from './deliver.ts';
import type { Turn } from './housekeeping.ts';

const TURN_EVERY_MS = 10_000;
/** Deliveries that one turn's page looks at, and pages of one turn; the next goes on from there. */
const PAGE = 500;
const PAGES_PER_TURN_MAX = 20;

export interface Order {
  /** A listener for each record. */
  onSettled(settled: Settled): void;
  /** Something may have left the chain, or was just held in it. */
  onChain(chain: string): void;
  /** For the housekeeping: looks at every chain in which somebody waits. */
  readonly turn: Turn;
  /** Resolves when nothing is under way. */
  close(): Promise<void>;
}

export function createOrder(ports: {
  readonly journal: Pick<Journal, 'advance' | 'listWaitingChains' | 'freeEnded' | 'whileLeader'>;
  readonly lanes: Pick<Lanes, 'add'>;
  readonly log: Log;
}): Order {
  const { journal, lanes, log } = ports;
  const underWay = new Set<Promise<number>>();
  let after: string | undefined;

  const advance = async (chain: string): Promise<number> => {
    try {
      const due = await journal.advance(chain);
      if (due.length > 0) await lanes.add(due.map(laneJobOf));
      return due.length;
    } catch (error) {
      log.debug({ err: error }, 'a chain was not advanced; the next turn or the sweep will do it');
      return 0;
    }
  };

  const onChain = (chain: string): void => {
    const one = advance(chain);
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
  };

  const turnPage = async (): Promise<number> => {
    const page = { limit: PAGE };
    const { chains, last } = await journal.listWaitingChains(
      after === undefined ? page : { ...page, after },
    );
    after = last;
    const counts = await Promise.all(chains.map(advance));
    return counts.reduce((sum, count) => sum + count, 0);
  };

  const turnPages = async (leaving: AbortSignal): Promise<void> => {
    const freed = await journal.freeEnded();
    if (freed > 0)
      log.warn({ count: freed }, 'ended without leaving their chain: an older version?');
    let count = 0;
    let pages = 0;
    do {
      count += await turnPage();
      pages += 1;
    } while (after !== undefined && pages < PAGES_PER_TURN_MAX && !leaving.aborted);
    if (count > 0) log.info({ count }, 'let go what waited for nothing any more');
  };

  return {
    onSettled({ claim }) {
      if (claim.chain !== undefined) onChain(claim.chain);
    },
    onChain,
    turn: {
      task: 'order',
      everyMs: TURN_EVERY_MS,
      run: (leaving) => journal.whileLeader('order', () => turnPages(leaving)),
    },
    async close() {
      await Promise.all(underWay);
    },
  };
}
