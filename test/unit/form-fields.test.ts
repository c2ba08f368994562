// What is made of a form before anybody has proved who it is from.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { FORM_FIELDS_MAX, formFieldsOf, sortedFields } from '../../src/intake/form-fields.ts';
import { readerOf, receiveOf, verdictOf } from '../support/receiver.ts';

const receive = receiveOf({ verify: 'none' });

test('names stand in their order, and the values of one name in theirs', () => {
  const form = formFieldsOf(Buffer.from('b=2&a=1&b=1&c=&a=%C3%BC'));
  assert.ok(form !== undefined);
  assert.deepEqual(sortedFields(form), [
    ['a', ['1', '\u00fc']],
    ['b', ['2', '1']],
    ['c', ['']],
  ]);
});

test('a form of ever so many names is looked at in one pass', () => {
  const flood = (count: number) =>
    Buffer.from(Array.from({ length: count }, (_, index) => `a${index.toString(36)}`).join('&'));
  const startedMs = performance.now();
  const most = readerOf(receive, { body: flood(FORM_FIELDS_MAX) });
  assert.equal(String(most.token('form.sorted')).startsWith('a0a1'), true);
  // 10 MB, as large as a body of the catalogue may be.
  const more = readerOf(receive, { body: flood(2_000_000) });
  assert.equal(more.token('form.sorted'), more.request.body);
  assert.equal(more.read({ from: 'form', name: 'a0' }), undefined);
  // Some milliseconds; pass by pass over all names it would be minutes.
  assert.ok(performance.now() - startedMs < 5_000);
});

test('what is signed without a form is signed with no form, however large', async () => {
  const url = 'https://hub.example/webhooks/one';
  const signature = createHmac('sha1', 'a-secret').update(url).digest('base64');
  const body = Buffer.from('a&'.repeat(FORM_FIELDS_MAX + 1));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const [verify, header] of [
    [{ hmac: 'sha1', header: 'X-Sig', encoding: 'base64', signs: '{url}{form.sorted}' }, 'X-Sig'],
    [{ scheme: 'twilio' }, 'X-Twilio-Signature'],
  ] as const) {
    const signed = receiveOf({ verify, url, secrets: ['a-secret'] });
    const headers = { ...form, [header]: signature };
    assert.equal((await verdictOf(signed, { headers })).kind, 'authentic');
    assert.equal((await verdictOf(signed, { headers, body })).kind, 'refused');
  }
});
