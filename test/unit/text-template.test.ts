import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageInvalid } from '../../src/connectors/message-invalid.ts';
import { parseTemplate } from '../../src/connectors/text-template.ts';
import type { Json } from '../../src/model/json.ts';
import { messageOf } from '../support/connector-parts.ts';

function render(template: string, body: Json): string {
  return parseTemplate(template).render({ message: messageOf('call', ''), body: () => body });
}

test('fills in paths, list positions, the key and the event', () => {
  const body = { a: { b: 'x' }, list: [{ sku: 'S1' }], yes: true, zero: 0, empty: '' };
  assert.equal(render('{a.b}-{list.0.sku}-{yes}-{zero}-{empty}', body), 'x-S1-true-0-');
  assert.equal(render('{$key} {$event.topic}', body), 'event-1:flow-1 orders/create');
  assert.equal(render('plain', body), 'plain');
  assert.equal(render('', body), '');
});

test('a template that reads nothing of the message does not parse it', () => {
  const scope = {
    message: messageOf('call', ''),
    body: () => assert.fail('parsed'),
  };
  assert.equal(parseTemplate('/x/{$event.shop}').render(scope), '/x/example.myshopify.com');
});

test('names the placeholder that has no value', () => {
  for (const body of [
    null,
    {},
    { a: null },
    { a: {} },
    { a: { b: null } },
    { a: { b: [] } },
    'a',
  ]) {
    assert.throws(
      () => render('{a.b}', body),
      (error) => error instanceof MessageInvalid && error.message.includes('{a.b}'),
    );
  }
});

test('reads own fields only', () => {
  for (const path of ['{constructor}', '{__proto__}', '{a.toString}', '{a.constructor.name}']) {
    assert.throws(() => render(path, { a: 'x' }), MessageInvalid);
  }
});

test('says what is wrong with a placeholder', () => {
  for (const [template, expected] of [
    ['{$event.nope}', /\{\$event\.nope\} is not known/],
    ['{$keys}', /not known/],
    ['{}', /not a path/],
    ['{a..b}', /not a path/],
    ['{a b}', /not a path/],
    ['{a', /brace/],
    ['a}', /brace/],
    ['/x/{{ a.b }}', /doubled braces; write \{a\.b\} for \{\{ a\.b \}\}/],
    ['{{a}', /a brace without its partner/],
  ] as const) {
    assert.throws(() => parseTemplate(template), expected);
  }
});
