import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Routes } from '../../src/definitions/routes.ts';
import { makeEvents } from '../../src/intake/make-events.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { readerOf, receiveOf } from '../support/receiver.ts';

/** What flows are given of each event, as text. */
const routed: string[] = [];
const routes: Routes = {
  route: ({ body }) => {
    routed.push(body.toString());
    return [];
  },
};

async function make(
  fields: JsonObject,
  body: string | Buffer,
  headers: Record<string, string> = {},
) {
  const receive = receiveOf({ verify: 'none', ...fields });
  const type = { 'content-type': 'application/json' };
  const all = { ...type, ...headers };
  const reader = readerOf(receive, { headers: all, body });
  routed.length = 0;
  return makeEvents({ source: 'one', receive, reader }, all, routes);
}

const bodies = ({ events }: Awaited<ReturnType<typeof make>>) =>
  events.map(({ body }) => body.toString());

describe('the events of one request', () => {
  test('are one with the bytes that came, named by places in it', async () => {
    const { events, isSplit } = await make(
      { topic: { json: 'type' }, dedupe: { json: 'id' } },
      '{ "type":"a.b", "id":820982911946154508 }',
    );
    assert.equal(isSplit, false);
    assert.equal(events[0]?.topic, 'a.b');
    assert.equal(events[0]?.dedupeKey, '820982911946154508');
    assert.equal(events[0]?.unreadable, undefined);
  });

  test('of a form or XML are named by what it is as JSON, and stay as they came', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const made = await make(
      { topic: { json: 'data.type' }, dedupe: { json: 'id' } },
      'id=7&a=b',
      form,
    );
    assert.equal(made.events[0]?.dedupeKey, '7');
    assert.equal(made.events[0]?.topic, 'unnamed');
    assert.deepEqual(bodies(made), ['id=7&a=b']);
    assert.deepEqual(routed, ['{"id":"7","a":"b"}']);
    const xml = await make({ topic: { json: 'e.`@type`' } }, '<e type="t">x</e>', {
      'content-type': 'text/xml',
    });
    assert.equal(xml.events[0]?.topic, 't');
  });

  test('of a list are its elements as they were written, each with an id of its own', async () => {
    const made = await make(
      { split: 'data[]', topic: { json: 'type' }, dedupe: { json: 'id' } },
      '{"data": [ {"id":1.0, "type":"a"} ,{"type":"b","id":2}]}',
    );
    assert.equal(made.isSplit, true);
    assert.deepEqual(bodies(made), ['{"id":1.0, "type":"a"}', '{"type":"b","id":2}']);
    assert.deepEqual(
      made.events.map(({ topic }) => topic),
      ['a', 'b'],
    );
    assert.deepEqual(
      made.events.map(({ dedupeKey }) => dedupeKey),
      ['1', '2'],
    );
  });

  test('of a list whose id stands in a header are told apart by their place', async () => {
    const fields = { split: '[]', dedupe: { header: 'X-Id' } };
    const made = await make(fields, '[1,2]', { 'x-id': 'r' });
    assert.deepEqual(
      made.events.map(({ dedupeKey }) => dedupeKey),
      ['r#0', 'r#1'],
    );
  });

  test('of lines, of a form field and of an inner element are split too', async () => {
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const lines = await make({ split: '[]' }, '{"a": 1}\r\n\n{broken\n', ndjson);
    assert.deepEqual(bodies(lines), ['{"a": 1}', '{broken']);
    assert.match(lines.events[1]?.unreadable ?? '', /not JSON/);
    assert.equal(lines.events[0]?.unreadable, undefined);
    assert.equal(lines.events[0]?.headers['content-type'], 'application/json');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const field = `mandrill_events=${encodeURIComponent('[{"event":"send"}, {"event":"open"}]')}`;
    const split = { form: 'mandrill_events', list: '[]' };
    const fields = await make({ split, topic: { json: 'event' } }, field, form);
    assert.deepEqual(
      fields.events.map(({ topic }) => topic),
      ['send', 'open'],
    );
    assert.equal(fields.events[0]?.headers['content-type'], 'application/json');
    const inner = await make({ split: 'items[].one' }, '{"items":[{"one":{"x":1}},{"two":2}]}');
    assert.deepEqual(bodies(inner), ['{"x":1}', '{"two":2}']);
    assert.match(inner.events[1]?.unreadable ?? '', /no element at items\[\]\.one/);
  });

  test('of an empty list are none', async () => {
    assert.deepEqual(await make({ split: '[]' }, ' [ ] '), { events: [], isSplit: true });
  });

  test('of a body without the list are one, whole and marked', async () => {
    for (const body of ['{"data":{}}', '{"other":[]}', '"text"']) {
      const { events, isSplit } = await make({ split: 'data[]', topic: { json: 'type' } }, body);
      assert.equal(isSplit, false);
      assert.equal(events[0]?.unreadable, 'no list at data[]');
      assert.equal(events[0]?.topic, 'unreadable');
      assert.equal(events[0]?.body.toString(), body);
    }
  });

  test('beyond eventsMax are refused together', async () => {
    const tooLarge = (error: unknown) => isCrossdockError(error, 'body-too-large');
    await assert.rejects(make({ split: '[]', eventsMax: 2 }, '[1,2,3]'), tooLarge);
    await assert.rejects(
      make({ split: '[]', eventsMax: 2 }, '1\n2\n3', { 'content-type': 'application/x-ndjson' }),
      tooLarge,
    );
    assert.equal((await make({ split: '[]', eventsMax: 2 }, '[1,2]')).events.length, 2);
    const huge = `[${'1,'.repeat(500_000)}1]`;
    await assert.rejects(make({ split: '[]' }, huge), tooLarge);
  });

  test('that cannot be read are kept and marked, with what is known of them', async () => {
    const topic = { header: 'X-Topic', json: 'type' };
    const marked = async (body: string | Buffer, headers: Record<string, string> = {}) => {
      const [event] = (await make({ topic, depthMax: 5, keysMax: 5 }, body, headers)).events;
      return [event?.topic, event?.unreadable];
    };
    assert.deepEqual(await marked('{"type":"t"', { 'x-topic': 'h' }), [
      'h',
      'not JSON: unexpected end',
    ]);
    assert.deepEqual(await marked('{"type":"t"'), ['unreadable', 'not JSON: unexpected end']);
    assert.deepEqual(await marked('[[[[[[]]]]]]'), ['unreadable', 'nested deeper than 5 levels']);
    assert.deepEqual(await marked('{"type":"t","a":1,"b":1,"c":1,"d":1,"e":1}'), [
      't',
      'more than 5 names in one object',
    ]);
    assert.deepEqual(await marked('{}'), ['unnamed', undefined]);
  });

  test('of which nothing inside is asked for are marked where their ends do not fit', async () => {
    const marked = async (body: string) => (await make({}, body)).events[0]?.unreadable;
    assert.match((await marked('{"a":1')) ?? '', /unexpected end/);
    assert.match((await marked('<html></html>')) ?? '', /not JSON/);
    assert.match((await marked('')) ?? '', /unexpected end/);
    assert.equal(await marked('"text"'), undefined);
    assert.equal(await marked(' {"a":01} '), undefined);
  });

  test('are named by the bytes, whatever they are', async () => {
    const odd = [
      '',
      '\0',
      '{"a":"\\ud800"}',
      '{"a":"\\u0000"}',
      '{"a":01}',
      '{"a":1}x',
      "{'a':1}",
      'NaN',
      '{"a":1,}',
      Buffer.from([0xff, 0xfe]),
      Buffer.from([0xff, 0xfe, 0x7b]),
      Buffer.from([0xc3, 0x28]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('\ufeff{}'),
      Buffer.from('\ufeff{"a":1}', 'utf16le'),
    ];
    for (const body of odd) {
      for (const type of ['application/json', 'text/plain', 'text/xml', 'x']) {
        const { events } = await make({ topic: { json: 'a' } }, body, { 'content-type': type });
        assert.deepEqual(events[0]?.body, Buffer.from(body as string));
      }
    }
  });
});
