// What tests of connectors begin with: a definition, a context, a message.

import type { ConnectorContext, Message } from '../../src/connectors/connector.ts';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import type { JsonObject } from '../../src/model/json.ts';

export interface DefinitionParts {
  readonly id?: string;
  readonly title?: string;
  readonly kind: string;
  readonly fields: JsonObject;
  readonly operations: Readonly<Record<string, JsonObject>>;
  readonly timeoutMs?: number;
  readonly concurrency?: number;
  readonly secrets?: readonly string[];
}

export function definitionOf(parts: DefinitionParts): ConnectorDefinition {
  return {
    id: parts.id ?? 'target',
    ...(parts.title === undefined ? {} : { title: parts.title }),
    kind: parts.kind,
    fields: parts.fields,
    operations: new Map(
      Object.entries(parts.operations).map(([name, fields]) => [name, { name, fields }]),
    ),
    limits: { concurrency: parts.concurrency ?? 8 },
    timeoutMs: parts.timeoutMs ?? 5_000,
    secrets: parts.secrets ?? [],
  };
}

export function contextOf(folder: string, now: () => number = Date.now): ConnectorContext {
  return { folder, now };
}

export function messageOf(operation: string, body: string, key = 'event-1:flow-1'): Message {
  return {
    operation,
    body,
    idempotencyKey: key,
    deliveryId: '0192f000-0000-7000-8000-000000000001',
    attempt: 1,
    event: {
      id: '0192f000-0000-7000-8000-000000000002',
      source: 'shop',
      topic: 'orders/create',
      key: 'webhook-1',
      shop: 'example.myshopify.com',
      receivedAt: '2026-11-22T18:45:00.000Z',
      headers: {},
    },
  };
}

/** A signal that never aborts. */
export function noAbort(): AbortSignal {
  return new AbortController().signal;
}
