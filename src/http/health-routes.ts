import { Router } from 'express';
import { within } from '../model/within.ts';
import type { HttpPorts } from './ports.ts';

/** How long one part may take to answer a probe. */
const PROBE_DEADLINE_MS = 1_000;

interface Readiness {
  /** `degraded`: messages are taken and kept, but not delivered until the lanes are back. */
  readonly status: 'ready' | 'degraded' | 'unavailable' | 'closing';
  readonly journal: 'ready' | 'unavailable';
  readonly lanes: 'ready' | 'unavailable';
}

/** `/healthz` asks nothing of anyone; `/readyz` asks the journal and the lanes. */
export function healthRoutes(ports: Pick<HttpPorts, 'journal' | 'lanes' | 'isClosing'>): Router {
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

async function probe(
  ports: Pick<HttpPorts, 'journal' | 'lanes' | 'isClosing'>,
): Promise<Readiness> {
  const [journal, lanes] = await Promise.all([
    answers(() => ports.journal.ping(PROBE_DEADLINE_MS)),
    answers(() => ports.lanes.ping()),
  ]);
  if (ports.isClosing?.() === true) return { status: 'closing', journal, lanes };
  if (journal === 'unavailable') return { status: 'unavailable', journal, lanes };
  return { status: lanes === 'ready' ? 'ready' : 'degraded', journal, lanes };
}

async function answers(ping: () => Promise<unknown>): Promise<'ready' | 'unavailable'> {
  return within(ping(), PROBE_DEADLINE_MS, () => new Error('no answer')).then(
    () => 'ready',
    () => 'unavailable',
  );
}
