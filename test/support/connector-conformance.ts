// What every kind of connector promises, whatever it talks to. Each kind's test calls this once
// with a real target.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Ajv } from 'ajv';
import {
  type Connector,
  type ConnectorKind,
  EXCHANGE_TEXT_MAX,
  type Sent,
} from '../../src/connectors/connector.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { contextOf, definitionOf, messageOf, noAbort } from './connector-parts.ts';

/** A real target of one kind, with a connector that reaches it. */
export interface ConformanceRig {
  readonly fields: JsonObject;
  readonly operation: JsonObject;
  readonly folder: string;
  /** A message that the target takes. */
  body(number: number): string;
  /** A message that has to be longer than what the journal keeps. */
  longBody(): string;
  /** Secrets in `fields`; the target repeats them in its answers where the protocol lets it. */
  readonly secrets: readonly string[];
  /** How many messages the target has taken. */
  taken(): Promise<number>;
  /** From now on the target fails in its own way, such as 503. */
  fail(): Promise<void>;
  /** The target is gone. */
  stop(): Promise<void>;
}

export function connectorConformance(
  kind: ConnectorKind,
  startRig: () => Promise<ConformanceRig>,
): void {
  async function withRig(
    run: (rig: ConformanceRig, connector: Connector) => Promise<void>,
  ): Promise<void> {
    const rig = await startRig();
    const connector = connectorOf(kind, rig);
    try {
      await run(rig, connector);
    } finally {
      await connector.close();
      await rig.stop();
    }
  }

  describe(`the kind ${kind.kind} conforms`, () => {
    test('its schemas are strict and describe every field', async () => {
      await withRig(async (rig) => {
        for (const [schema, fields] of [
          [kind.connectorSchema, rig.fields],
          [kind.operationSchema, rig.operation],
        ] as const) {
          const validate = new Ajv({ strict: true }).compile(schema);
          assert.equal(validate(fields), true, JSON.stringify(validate.errors));
          assert.equal(validate({ ...fields, unknown: 1 }), false);
          assert.deepEqual(undescribed(schema, kind.kind), []);
        }
        const operations = new Map([['send', rig.operation]]);
        assert.deepEqual(kind.check?.(rig.fields, operations) ?? [], []);
      });
    });

    test('delivers a message once and says what went over the wire', async () => {
      await withRig(async (rig, connector) => {
        const sent = await connector.send(messageOf('send', rig.body(1)), noAbort());
        assert.equal(sent.outcome.kind, 'delivered');
        assert.equal(await rig.taken(), 1);
        assert.ok(sent.exchange.request.bytes > 0);
        assert.ok(sent.exchange.request.summary.length > 0);
        assert.doesNotMatch(sent.exchange.request.summary, /\n/);
      });
    });

    test('delivers 30 messages that are sent at once', async () => {
      await withRig(async (rig, connector) => {
        const all = Array.from({ length: 30 }, (_, number) =>
          connector.send(messageOf('send', rig.body(number), `key-${number}`), noAbort()),
        );
        const kinds = (await Promise.all(all)).map(({ outcome }) => outcome.kind);
        assert.deepEqual(kinds, Array(30).fill('delivered'));
        assert.equal(await rig.taken(), 30);
      });
    });

    test('cuts what it records, not what it sends', async () => {
      await withRig(async (rig, connector) => {
        const { outcome, exchange } = await connector.send(
          messageOf('send', rig.longBody()),
          noAbort(),
        );
        assert.equal(outcome.kind, 'delivered');
        assert.ok(exchange.request.bytes > EXCHANGE_TEXT_MAX);
        assert.ok((exchange.request.body ?? '').length <= EXCHANGE_TEXT_MAX);
      });
    });

    test('answers retry, and does not reject, while the target fails', async () => {
      await withRig(async (rig, connector) => {
        await rig.fail();
        const sent = await connector.send(messageOf('send', rig.body(1)), noAbort());
        assertRetry(sent);
        assert.equal(await rig.taken(), 0);
      });
    });

    test('rejects an operation that it does not have', async () => {
      await withRig(async (rig, connector) => {
        const { outcome } = await connector.send(messageOf('other', rig.body(1)), noAbort());
        assert.equal(outcome.kind === 'rejected' && outcome.code, 'operation-unknown');
      });
    });

    test('throws the reason of a signal that was aborted before, and sends nothing', async () => {
      await withRig(async (rig, connector) => {
        const reason = new Error('the hub is leaving');
        const sending = connector.send(messageOf('send', rig.body(1)), AbortSignal.abort(reason));
        await assert.rejects(sending, (error) => error === reason);
        assert.equal(await rig.taken(), 0);
      });
    });

    test('shows no secret in outcomes and exchanges', async () => {
      await withRig(async (rig, connector) => {
        const sent = [await connector.send(messageOf('send', rig.body(1)), noAbort())];
        await rig.fail();
        sent.push(await connector.send(messageOf('send', rig.body(2)), noAbort()));
        const seen = JSON.stringify(sent.map(({ outcome, exchange }) => ({ outcome, exchange })));
        for (const secret of rig.secrets) assert.doesNotMatch(seen, new RegExp(secret));
      });
    });

    test('leaves no open handle after close', async () => {
      const before = openHandles();
      await withRig(async (rig, connector) => {
        await connector.send(messageOf('send', rig.body(1)), noAbort());
      });
      await untilAtMost(before, openHandles);
    });
  });
}

export function connectorOf(kind: ConnectorKind, rig: ConformanceRig, timeoutMs = 5_000) {
  const { fields, operation, secrets } = rig;
  const parts = { kind: kind.kind, fields, operations: { send: operation }, secrets, timeoutMs };
  return kind.create(definitionOf(parts), contextOf(rig.folder));
}

export function assertRetry(sent: Sent): asserts sent is Sent & {
  outcome: Extract<Sent['outcome'], { kind: 'retry' }>;
} {
  assert.equal(sent.outcome.kind, 'retry', JSON.stringify(sent.outcome));
  assert.match((sent.outcome as { reason: string }).reason, /^[^\n]+$/);
}

/** Paths of properties without a description. */
function undescribed(schema: Json, path: string): string[] {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return [];
  const { properties } = schema as { properties?: Readonly<Record<string, JsonObject>> };
  return Object.entries(properties ?? {}).flatMap(([name, property]) => [
    ...(typeof property['description'] === 'string' ? [] : [`${path}/${name}`]),
    ...undescribed(property, `${path}/${name}`),
  ]);
}

function openHandles(): number {
  const names = process.getActiveResourcesInfo();
  return names.filter((name) => /TCP|TLS|FSReq|Timeout|GetAddrInfo/.test(name)).length;
}

async function untilAtMost(count: number, read: () => number): Promise<void> {
  const deadline = Date.now() + 3_000;
  while (read() > count && Date.now() < deadline) await wait(10);
  assert.ok(read() <= count, process.getActiveResourcesInfo().join(' '));
}
