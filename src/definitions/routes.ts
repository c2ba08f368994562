import { createHash } from 'node:crypto';
import { newId } from '../model/ids.ts';
import { ORDER_KEY_MAX, type OrderPlace, type OrderPolicy } from '../model/order.ts';
import type { ConnectorDefinition, Definitions, FlowDefinition } from './definitions.ts';
import {
  createEventReader,
  type EventPath,
  type EventValue,
  parseEventPath,
  type ReadableEvent,
} from './event-path.ts';
import { versionText } from './event-version.ts';

/** What of an event decides where it goes. */
export type RoutedMessage = ReadableEvent;

/** One delivery that an event starts; the shape that the journal appends. */
export interface RoutedDelivery {
  readonly id: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly revision: string;
  readonly order?: OrderPlace;
  readonly tenant?: string;
}

export interface Routes {
  /**
   * New deliveries for an event: one for each flow on its topic, each pinning its revision. The body
   * is parsed where a flow's order or a lane's fairness asks for something inside it, and then once.
   */
  route(message: RoutedMessage): readonly RoutedDelivery[];
}

type ReadPath = (path: EventPath) => EventValue | undefined;

interface Route {
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly revision: string;
  readonly order?: OrderRule;
  readonly fairBy?: EventPath;
}

interface OrderRule {
  readonly by: EventPath;
  readonly version?: EventPath;
  readonly policy: OrderPolicy;
}

export function createRoutes(definitions: Definitions): Routes {
  const routesByTopic = new Map<string, Route[]>();
  for (const flow of definitions.flows.values()) {
    const route = routeOf(flow, definitions.connectors.get(flow.revision.connector));
    for (const topic of flow.from.topics) {
      const key = routeKey(flow.from.connector, topic);
      routesByTopic.set(key, [...(routesByTopic.get(key) ?? []), route]);
    }
  }
  return {
    route(message) {
      const read = createEventReader(message);
      const routes = routesByTopic.get(routeKey(message.source, message.topic)) ?? [];
      return routes.map((route) => deliveryOf(route, read));
    },
  };
}

function routeKey(source: string, topic: string): string {
  return `${source}\n${topic}`;
}

function routeOf({ id, revision }: FlowDefinition, target?: ConnectorDefinition): Route {
  const { connector, operation, hash, order } = revision;
  const fairBy = pathOf((target?.limits as { readonly fairBy?: string } | undefined)?.fairBy);
  const rule = order === undefined ? undefined : ruleOf(order);
  return {
    flow: id,
    connector,
    operation,
    revision: hash,
    ...(rule === undefined ? {} : { order: rule }),
    ...(fairBy === undefined ? {} : { fairBy }),
  };
}

function ruleOf(policy: OrderPolicy): OrderRule | undefined {
  const by = pathOf(policy.by);
  const version = pathOf(policy.version);
  if (by === undefined) return undefined;
  return { by, policy, ...(version === undefined ? {} : { version }) };
}

/** Files with a path that is none do not load. */
function pathOf(text: string | undefined): EventPath | undefined {
  if (text === undefined) return undefined;
  const parsed = parseEventPath(text);
  return 'path' in parsed ? parsed.path : undefined;
}

function deliveryOf({ order, fairBy, ...rest }: Route, read: ReadPath): RoutedDelivery {
  const place = order === undefined ? undefined : placeOf(order, read);
  const tenant = fairBy === undefined ? undefined : read(fairBy)?.text;
  return {
    id: newId(),
    ...rest,
    ...(place === undefined ? {} : { order: place }),
    ...(tenant === undefined ? {} : { tenant: shorten(tenant) }),
  };
}

function placeOf({ by, version, policy }: OrderRule, read: ReadPath): OrderPlace | undefined {
  const key = read(by);
  if (key === undefined) return undefined;
  const place = { key: shorten(key.text), dead: policy.dead };
  if (policy.keep === undefined) return place;
  const newer = version === undefined ? undefined : versionText(read(version));
  const { settleMs } = policy;
  return { ...place, settleMs, ...(newer === undefined ? {} : { version: newer }) };
}

function shorten(key: string): string {
  if (key.length <= ORDER_KEY_MAX) return key;
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
