// A connector of the kind http beside the server it calls.

import { tmpdir } from 'node:os';
import type { Connector, Sent } from '../../src/connectors/connector.ts';
import { httpKind } from '../../src/connectors/http-connector.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { contextOf, definitionOf, messageOf, noAbort } from './connector-parts.ts';
import { type Answer, type HttpTarget, ok, startHttpTarget } from './http-target.ts';

export interface HttpSetup {
  readonly answer?: Answer;
  readonly fields?: JsonObject;
  readonly operation?: JsonObject;
  readonly timeoutMs?: number;
  readonly concurrency?: number;
  readonly secrets?: readonly string[];
  readonly now?: () => number;
}

/** Runs `use` against a target and a connector named ERP whose operation is `call`. */
export async function withTarget(
  setup: HttpSetup,
  use: (connector: Connector, target: HttpTarget) => Promise<void>,
): Promise<void> {
  const target = await startHttpTarget(setup.answer ?? ok);
  const connector = connectorAt(target.url, setup);
  try {
    await use(connector, target);
  } finally {
    await connector.close();
    await target.close();
  }
}

export function connectorAt(baseUrl: string, setup: HttpSetup = {}): Connector {
  const definition = definitionOf({
    title: 'ERP',
    kind: 'http',
    fields: { baseUrl, ...setup.fields },
    operations: { call: setup.operation ?? { post: '/orders' } },
    timeoutMs: setup.timeoutMs ?? 5_000,
    concurrency: setup.concurrency ?? 8,
    secrets: setup.secrets ?? [],
  });
  return httpKind.create(definition, contextOf(tmpdir(), setup.now));
}

export function call(connector: Connector, body = '{}', signal = noAbort()): Promise<Sent> {
  return connector.send(messageOf('call', body), signal);
}
