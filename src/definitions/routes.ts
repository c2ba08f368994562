import { newId } from '../model/ids.ts';
import type { OrderPlace } from '../model/order.ts';
import type { Definitions, FlowDefinition } from './definitions.ts';

/** What of an event decides where it goes. */
export interface RoutedMessage {
  readonly source: string;
  readonly topic: string;
  readonly body: Buffer;
  readonly shop?: string;
}

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
  /** New deliveries for an event: one for each flow on its topic, each pinning its revision. */
  route(message: RoutedMessage): readonly RoutedDelivery[];
}

export function createRoutes(definitions: Definitions): Routes {
  const flowsByTopic = new Map<string, FlowDefinition[]>();
  for (const flow of definitions.flows.values()) {
    for (const topic of flow.from.topics) {
      const key = routeKey(flow.from.connector, topic);
      flowsByTopic.set(key, [...(flowsByTopic.get(key) ?? []), flow]);
    }
  }
  return {
    route: ({ source, topic }) =>
      (flowsByTopic.get(routeKey(source, topic)) ?? []).map(({ id, revision }) => ({
        id: newId(),
        flow: id,
        connector: revision.connector,
        operation: revision.operation,
        revision: revision.hash,
      })),
  };
}

function routeKey(source: string, topic: string): string {
  return `${source}\n${topic}`;
}
