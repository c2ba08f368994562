import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMailbox } from '../../src/connectors/mailbox.ts';

test('reads an address with and without a name', () => {
  assert.deepEqual(parseMailbox(' a@b.example '), { name: '', address: 'a@b.example' });
  assert.deepEqual(parseMailbox('A B <a@b.example>'), { name: 'A B', address: 'a@b.example' });
  assert.deepEqual(parseMailbox('"B, A" <a@b.example>'), { name: 'B, A', address: 'a@b.example' });
  assert.equal(parseMailbox('jörg@müller.example')?.address, 'jörg@müller.example');
  assert.equal(parseMailbox("o'brien+tag@b.example")?.address, "o'brien+tag@b.example");
});

test('refuses whatever is not exactly one mailbox', () => {
  for (const text of [
    '',
    'a',
    '@b.example',
    'a@',
    'a@b@c.example',
    'a@b.example, c@d.example',
    'a@b.example c@d.example',
    '<a@b.example> <c@d.example>',
    'x <a@b.example>, y',
    'a@b.example\r\nBcc: c@d.example',
    'x\ny <a@b.example>',
    'group: a@b.example;',
  ]) {
    assert.equal(parseMailbox(text), undefined, JSON.stringify(text));
  }
});

test('no accepted mailbox holds a line break or a second address', () => {
  const unit = fc.constantFrom('a', '@', '<', '>', ',', ';', '"', '\r', '\n', ' ', '\0', '.');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 20 }), (text) => {
      const mailbox = parseMailbox(text);
      if (mailbox === undefined) return;
      assert.doesNotMatch(mailbox.address, /[\r\n\0\s<>,;"]/);
      assert.doesNotMatch(mailbox.name, /[\r\n\0<>]/);
      assert.equal(mailbox.address.split('@').length, 2);
    }),
    { numRuns: 2_000 },
  );
});
