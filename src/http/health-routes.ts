import { Router } from 'express';
import type { ClockState } from '../delivery/clock-guard.ts';
import { within } from '../model/within.ts';
import type { HttpPorts } from './ports.ts';

/** How long one part may take to answer a probe. */
const PROBE_DEADLINE_MS = 1_000;

interface Readiness {
  /** `degraded`: messages are taken and kept, but not delivered from here until this is over. */
  readonly status: 'ready' | 'degraded' | 'unavailable' | 'closing';
  readonly journal: 'ready' | 'unavailable';
  readonly lanes: 'ready' | 'unavailable';
  /** Why it is degraded, where that is not a part that does not answer. */
  readonly reason?: string;
}

type Probed = Pick<HttpPorts, 'journal' | 'lanes' | 'isClosing' | 'clock'>;

/** `/healthz` asks nothing of anyone; `/readyz` asks the journal and the lanes. */
export function healthRoutes(ports: Probed): Router {
  const router = Router();
  let probing: Promise<Readiness> | undefined;

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    // Probes that come at once share one round trip: the route is open to anyone.
    probing ??= probe(ports).finally(() => {
      probing = undefined;
    });
    const readiness = await probing;
    const refused = readiness.status === 'unavailable' || readiness.status === 'closing';
    response
      .set('cache-control', 'no-store')
      .status(refused ? 503 : 200)
      .json(readiness);
  });
  return router;
}

async function probe(ports: Probed): Promise<Readiness> {
  const [journal, lanes] = await Promise.all([
    answers(() => ports.journal.ping(PROBE_DEADLINE_MS)),
    answers(() => ports.lanes.ping()),
  ]);
  if (ports.isClosing?.() === true) return { status: 'closing', journal, lanes };
  if (journal === 'unavailable') return { status: 'unavailable', journal, lanes };
  const reason = clockReason(ports.clock?.());
  if (reason !== undefined) return { status: 'degraded', journal, lanes, reason };
  return { status: lanes === 'ready' ? 'ready' : 'degraded', journal, lanes };
}

function clockReason(clock: ClockState | undefined): string | undefined {
  if (clock === undefined || clock.isRight) return undefined;
  const seconds = Math.abs(clock.aheadMs / 1_000).toFixed(1);
  const where = clock.aheadMs > 0 ? 'ahead of' : 'behind';
  return `this machine's clock is ${seconds} s ${where} the database's: no jobs are taken here`;
}

async function answers(ping: () => Promise<unknown>): Promise<'ready' | 'unavailable'> {
  return within(ping(), PROBE_DEADLINE_MS, () => new Error('no answer')).then(
    () => 'ready',
    () => 'unavailable',
  );
}
