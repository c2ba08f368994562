import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventJson, passedOn, routedJson } from '../../src/delivery/event-json.ts';

const event = (type: string | undefined, body: Buffer | string, unreadable?: string) => ({
  headers: type === undefined ? {} : { 'content-type': type },
  body: Buffer.from(body as string),
  ...(unreadable === undefined ? {} : { unreadable }),
});
const form = 'application/x-www-form-urlencoded';

test('a flow evaluates the JSON of a body, whatever the body is', async () => {
  const json = event('application/json', '{"a":10.10}');
  assert.deepEqual(await eventJson(json), { kind: 'json', json: json.body });
  assert.equal((await routedJson(event(form, 'a=1'))).toString(), '{"a":"1"}');
  assert.equal((await routedJson(event('text/xml', '<a>1</a>'))).toString(), '{"a":"1"}');
});

test('a flow does not evaluate what intake marked, nor what breaks now', async () => {
  const marked = event('application/json', '{"data":{}}', 'no list at data[]');
  assert.deepEqual(await eventJson(marked), { kind: 'unreadable', reason: 'no list at data[]' });
  assert.equal((await eventJson(event('text/xml', '<a>'))).kind, 'unreadable');
  assert.equal((await routedJson(marked)).toString(), '{"data":{}}');
});

test('a flow that changes nothing passes JSON and text on as they came, the rest as JSON', async () => {
  const odd = ' { "price": 10.10,\n"id":820982911946154508 } ';
  assert.equal(await passedOn(event('application/json', odd)), odd);
  assert.equal(await passedOn(event(undefined, odd)), odd);
  assert.equal(await passedOn(event('text/plain', 'hello')), 'hello');
  assert.equal(
    await passedOn(event('application/json', '{"cut', 'not JSON: unexpected end')),
    '{"cut',
  );
  assert.equal(await passedOn(event(form, 'a=1&a=2')), '{"a":["1","2"]}');
  assert.equal(await passedOn(event('text/xml', '<a/>')), '{"a":""}');
  assert.equal(await passedOn(event('text/xml', '<a>')), '<a>');
  assert.equal(await passedOn(event('image/png', Buffer.from([255]))), '{"base64":"/w=="}');
});
