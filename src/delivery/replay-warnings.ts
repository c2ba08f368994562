// What somebody should know before a replay runs.

import type { ReplayQuery, ReplayRevision, ReplayTarget } from '../journal/replays-port.ts';
import type { ProjectNow } from './replay-again.ts';

interface Plan {
  readonly query: ReplayQuery;
  readonly revision: ReplayRevision;
  readonly now?: ProjectNow;
  readonly planned: {
    readonly total: number;
    readonly leftOut: number;
    readonly targets: readonly ReplayTarget[];
    readonly alike: readonly string[];
  };
  readonly paused: ReadonlySet<string>;
}

const noBody = Buffer.from('{}');

/** One sentence each. */
export function findWarnings(plan: Plan): readonly string[] {
  const { query, revision, now, planned } = plan;
  const { total, leftOut, alike, targets } = planned;
  const delivered = `${total} ${total === 1 ? 'was' : 'were'} delivered before: each is sent again`;
  const left = `${leftOut} left out: a newer one of the same event and flow stands for each`;
  return [
    ...alike.map((id) => `replay ${id} of the same query is not over`),
    ...(leftOut > 0 ? [left] : []),
    ...(query.state === 'delivered' && total > 0 ? [delivered] : []),
    ...(now === undefined
      ? ['the files of the project could not be read: keys and orders were not looked at']
      : targets.flatMap((target) => ofTarget(target, now, revision))),
    ...[...new Set(targets.map(({ connector }) => connector ?? ''))]
      .filter((connector) => plan.paused.has(connector))
      .map(
        (connector) => `the lane of ${connector} is paused: nothing goes out until it is resumed`,
      ),
  ];
}

function ofTarget(
  target: ReplayTarget,
  now: ProjectNow,
  revision: ReplayRevision,
): readonly string[] {
  const { flow, connector, operation, source, topic, count } = target;
  if (source !== undefined && topic !== undefined) {
    const flows = now.routes.route({ source, topic, body: noBody }).map((one) => one.flow);
    const what = `${count} events ${source} ${topic}`;
    return flows.length === 0
      ? [`${what}: no flow of today takes them either`]
      : [`${what} go through today's ${flows.join(', ')}`];
  }
  const today = flow === undefined ? undefined : now.definitions.flows.get(flow);
  if (revision === 'current' && today === undefined) {
    return [`${count} of flow ${flow}: there is no such flow today, so they are not made`];
  }
  return [
    ...(hasKey(now, connector, operation) ? [] : [`${connector}.${operation} ${withoutKey}`]),
    ...(today?.revision.order === undefined ? [] : [ordered(flow, today.revision.order.keep)]),
  ];
}

const withoutKey =
  'takes no idempotency key: what reached it before may be done twice, each time it is sent';

function ordered(flow: string | undefined, keep: 'latest' | undefined): string {
  return keep === 'latest'
    ? `flow ${flow} sends the newest version only: older ones will be superseded`
    : `flow ${flow} keeps an order: what is sent again comes after newer events of its key`;
}

function hasKey({ definitions }: ProjectNow, connector = '', operation = ''): boolean {
  const found = definitions.connectors.get(connector)?.operations.get(operation);
  return found === undefined || found.fields['idempotency'] !== undefined;
}
