// Attempts of one flow as the engine makes them, without journal and lanes: real files, a real
// mapper, a real target. Each attempt knows what came of those before it.

import { createHash } from 'node:crypto';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import {
  attemptDelivery,
  type LiveConnector,
  type Verdict,
  type Work,
} from '../../src/delivery/attempt.ts';
import { loadProject } from '../../src/load-project.ts';
import type { Mapper } from '../../src/mapping/mapper.ts';
import type { Event } from '../../src/model/event.ts';
import { newId } from '../../src/model/ids.ts';
import { formatProblem } from '../../src/model/problem.ts';
import { withProject } from './definition-project.ts';
import { type Answer, type HttpTarget, ok, startHttpTarget } from './http-target.ts';

/** `other.mapper` is for this one attempt. */
export type Attempt = (
  more?: Partial<Work>,
  signal?: AbortSignal,
  other?: { readonly mapper?: Mapper },
) => Promise<Verdict>;

export interface AttemptRig {
  readonly target: HttpTarget;
  /** The attempts of one delivery of `body`; call again for the next one. */
  begin(body: string): Attempt;
}

export interface AttemptSetup {
  /** Lines of `operations:` of the connector `erp`; the flow calls `createOrder`. */
  readonly operations: string;
  /** More lines of the connector. */
  readonly connector?: string;
  /** More lines of the flow. */
  readonly flow?: string;
  readonly answer?: Answer;
  readonly mapper: Mapper;
}

export async function withAttempts(
  setup: AttemptSetup,
  use: (rig: AttemptRig) => Promise<void>,
): Promise<void> {
  const target = await startHttpTarget(setup.answer ?? ok);
  try {
    await withProject(filesOf(setup, target.url), async (folder) => {
      const { definitions, problems } = await loadProject({ folder, variables: {} });
      if (definitions === undefined) throw new Error(problems.map(formatProblem).join('\n'));
      const connectors = connectorsOf(definitions);
      try {
        await use({ target, begin: (body) => begin(body, { setup, definitions, connectors }) });
      } finally {
        for (const { connector } of connectors.values()) await connector.close();
      }
    });
  } finally {
    await target.close();
  }
}

function filesOf({ operations, connector = '', flow = '' }: AttemptSetup, url: string) {
  return {
    'connectors/shop.yaml': 'receive: { verify: none, topic: { header: X-Topic } }\n',
    'connectors/erp.yaml': `kind: http\ntitle: ERP\nbaseUrl: ${url}\ntimeout: 1s\n${connector}\noperations:\n${operations}\n`,
    'flows/order.yaml': `from: { connector: shop, topics: [orders/create] }\nto: erp.createOrder\n${flow}\n`,
  };
}

function connectorsOf({ connectors, folder }: Definitions): ReadonlyMap<string, LiveConnector> {
  const live = new Map<string, LiveConnector>();
  for (const definition of connectors.values()) {
    const kind = connectorKinds.find((one) => one.kind === definition.kind);
    if (kind === undefined) continue;
    const connector = kind.create(definition, { folder, now: Date.now });
    live.set(definition.id, { definition, connector });
  }
  return live;
}

interface Parts {
  readonly setup: AttemptSetup;
  readonly definitions: Definitions;
  readonly connectors: ReadonlyMap<string, LiveConnector>;
}

function begin(body: string, { setup, definitions, connectors }: Parts): Attempt {
  const revision = definitions.flows.get('order')?.revision;
  if (revision === undefined) throw new Error('there is no flow');
  const ports = { mapper: setup.mapper, connectors, now: Date.now, random: () => 0.5 };
  const event = eventOf(body);
  const deliveryId = newId();
  let attempts = 0;
  let spent = 0;
  let ambiguous = false;
  let last: Pick<Work, 'lastCode'> = {};
  return async (more = {}, signal = new AbortController().signal, other = {}) => {
    const history = { attempts, spent, ageMs: 0, ambiguous, ...last };
    const work = { deliveryId, revision, event, ...history, ...more };
    const verdict = await attemptDelivery(work, { ...ports, ...other }, signal);
    const { attempt } = verdict;
    attempts += Number(attempt !== undefined);
    spent += Number(attempt !== undefined && attempt.spends !== false);
    ambiguous = verdict.inDoubt ?? ambiguous;
    last = verdict.code === undefined ? {} : { lastCode: verdict.code };
    return verdict;
  };
}

function eventOf(text: string): Event {
  const body = Buffer.from(text);
  return {
    id: newId(),
    source: 'shop',
    topic: 'orders/create',
    dedupeKey: newId(),
    body,
    headers: {},
    sha256: createHash('sha256').update(body).digest('hex'),
    receivedAt: new Date(),
  };
}
