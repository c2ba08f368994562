// What flows say about connectors, mappings, schemas and each other: names that lead nowhere,
// topics that never come, and circles.

import type { Expression, SchemaText } from '../model/flow-revision.ts';
import { HUB_SOURCE, hubTopics } from '../model/hub-events.ts';
import type { Problem } from '../model/problem.ts';
import { didYouMean, didYouMeanOrKnown } from '../model/suggest.ts';
import type { ConnectorOutline } from './connector-file.ts';
import { type Fault, fault, type Path } from './fault.ts';
import type { FlowSketch } from './flow-file.ts';
import type { ProblemCode } from './problem-codes.ts';

/** All that a flow may name. */
export interface Neighbours {
  readonly connectors: ReadonlyMap<string, ConnectorOutline>;
  readonly mappings: ReadonlyMap<string, Expression>;
  readonly schemas: ReadonlyMap<string, SchemaText>;
}

export function checkFlows(
  flows: readonly FlowSketch[],
  neighbours: Neighbours,
): readonly Problem[] {
  return flows.flatMap((flow) =>
    flow.content.problems([
      ...checkConnectorNames(flow, neighbours),
      ...checkFileNames(flow, neighbours),
      ...checkTopics(flow, flows, neighbours),
      ...checkLoop(flow, flows),
    ]),
  );
}

function checkConnectorNames(flow: FlowSketch, { connectors }: Neighbours): readonly Fault[] {
  const { from, to, emit } = flow;
  const dangling = (name: string | undefined, path: Path) => {
    if (name === undefined || connectors.has(name)) return [];
    if (name === HUB_SOURCE) return [reserved(path)];
    return [unknown(name, path, { what: 'connector', known: connectors.keys() })];
  };
  return [
    ...(from === undefined ? [] : checkSource(from.connector, ['from', 'connector'], connectors)),
    ...dangling(to?.connector, ['to']),
    ...dangling(emit?.source, ['emit']),
    ...(to === undefined ? [] : checkOperation(to, ['to'], connectors)),
  ];
}

/** Events come from a connector, or from the hub itself; also for the names in tests. */
export function checkSource(
  name: string,
  path: Path,
  connectors: Neighbours['connectors'],
): readonly Fault[] {
  if (name === HUB_SOURCE || connectors.has(name)) return [];
  const isNearHub = didYouMean(name, [HUB_SOURCE]) !== undefined;
  const known = [...connectors.keys(), ...(isNearHub ? [HUB_SOURCE] : [])];
  return [unknown(name, path, { what: 'connector', known })];
}

function reserved(path: Path): Fault {
  const message = `"${HUB_SOURCE}" is the hub itself: it takes nothing, and only it tells of itself`;
  const hint = `a flow may listen to it: from: { connector: ${HUB_SOURCE}, topics: [problem-opened] }`;
  return fault(path, 'reserved-name', { message, hint });
}

/** Whether a known connector has an operation; also for the names in tests. */
export function checkOperation(
  { connector, operation }: { readonly connector: string; readonly operation: string },
  path: Path,
  connectors: Neighbours['connectors'],
): readonly Fault[] {
  const operations = connectors.get(connector)?.operations;
  if (operations === undefined || operations.includes(operation)) return [];
  const message = `the connector "${connector}" has no operation "${operation}"`;
  const hint = didYouMeanOrKnown(operation, operations);
  return [fault(path, 'unknown-operation', { message, hint })];
}

function checkFileNames(flow: FlowSketch, { mappings, schemas }: Neighbours): readonly Fault[] {
  const dangling = (name: string | undefined, path: Path, files: ReadonlyMap<string, unknown>) =>
    name === undefined || files.has(name)
      ? []
      : [
          unknown(name, path, {
            what: files === mappings ? 'mapping' : 'schema',
            known: files.keys(),
          }),
        ];
  return [
    ...dangling(flow.map, ['map'], mappings),
    ...dangling(flow.input, ['validate', 'input'], schemas),
    ...dangling(flow.output, ['validate', 'output'], schemas),
  ];
}

/** A fault for a name that no file has. */
export function unknown(
  name: string,
  path: Path,
  { what, known }: { what: 'connector' | 'mapping' | 'schema'; known: Iterable<string> },
): Fault {
  const code: ProblemCode = `unknown-${what}`;
  const hint = didYouMeanOrKnown(name, known) ?? `there are no ${what}s at all`;
  return fault(path, code, { message: `there is no ${what} "${name}"`, hint });
}

/** A topic comes from outside, where the connector receives, or is emitted by a flow. */
function checkTopics(
  { from }: FlowSketch,
  flows: readonly FlowSketch[],
  { connectors }: Neighbours,
): readonly Fault[] {
  if (from?.connector === HUB_SOURCE) return checkHubTopics(from.topics);
  const connector = connectors.get(from?.connector ?? '');
  if (from === undefined || connector === undefined) return [];
  if (connector.receives && connector.fixedTopic === undefined) return [];
  const emitted = flows.flatMap(({ emit }) => (emit?.source === connector.id ? [emit.topic] : []));
  const possible = [
    ...emitted,
    ...(connector.fixedTopic === undefined ? [] : [connector.fixedTopic]),
  ];
  return from.topics.flatMap((topic, index) => {
    if (possible.includes(topic)) return [];
    const reason = connector.receives ? 'has one fixed topic' : 'does not receive';
    const message = `"${connector.id}" ${reason}, and no flow emits "${connector.id}.${topic}"`;
    const hint = didYouMeanOrKnown(topic, possible);
    return [fault(['from', 'topics', index], 'unknown-topic', { message, hint })];
  });
}

function checkHubTopics(topics: readonly string[]): readonly Fault[] {
  return topics.flatMap((topic, index) => {
    if ((hubTopics as readonly string[]).includes(topic)) return [];
    const message = `the hub tells nothing of the topic "${topic}"`;
    const hint = didYouMeanOrKnown(topic, hubTopics);
    return [fault(['from', 'topics', index], 'unknown-topic', { message, hint })];
  });
}

/** Whether what a flow emits leads, perhaps through other flows, to the flow itself. */
function checkLoop(flow: FlowSketch, flows: readonly FlowSketch[]): readonly Fault[] {
  const reached = new Map<FlowSketch, readonly string[]>([[flow, [flow.id]]]);
  for (const [current, way] of reached) {
    for (const next of flows) {
      if (!leadsTo(current, next)) continue;
      if (next === flow) {
        const message = `what it emits leads back to it: ${[...way, flow.id].join(' → ')}`;
        return [fault(['emit'], 'emit-loop', { message })];
      }
      if (!reached.has(next)) reached.set(next, [...way, next.id]);
    }
  }
  return [];
}

function leadsTo({ emit }: FlowSketch, { from }: FlowSketch): boolean {
  if (emit === undefined || from === undefined) return false;
  return emit.source === from.connector && from.topics.includes(emit.topic);
}
