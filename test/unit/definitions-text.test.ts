import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpolate, readCoreScalar } from '../../src/definitions/interpolate.ts';
import { canonicalJson } from '../../src/definitions/revision-hash.ts';
import { didYouMean, didYouMeanOrKnown } from '../../src/model/suggest.ts';

test('a word is suggested for a slip of the fingers and not for another word', () => {
  assert.equal(didYouMean('baseurl', ['timeout', 'baseUrl']), 'did you mean "baseUrl"?');
  assert.equal(didYouMean('pots', ['put', 'post']), 'did you mean "post"?');
  assert.equal(didYouMean('topcis', ['topics']), 'did you mean "topics"?');
  assert.equal(didYouMean('banana', ['topics', 'connector']), undefined);
  assert.equal(didYouMean('x', []), undefined);
});

test('where no word is near, those that there are get listed', () => {
  assert.equal(didYouMeanOrKnown('banana', ['b', 'a', 'b']), 'known here: a, b');
  const many = Array.from({ length: 30 }, (_, index) => `field${index}`);
  assert.match(didYouMeanOrKnown('banana', many) ?? '', /, …$/);
  assert.equal(didYouMeanOrKnown('banana', []), undefined);
});

test('text without a dollar sign is never changed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const plain = text.replaceAll('$', '');
      const result = interpolate(plain, () => 'x');
      return result.text === plain && result.unset.length === 0 && result.malformed.length === 0;
    }),
  );
});

test('what a variable holds is put in as it is and not looked at again', () => {
  const result = interpolate(`a \${X} b`, () => `\${Y} $& $1`);
  assert.equal(result.text, `a \${Y} $& $1 b`);
});

test('a default may be empty or hold colons, and counts only without a value', () => {
  const values: Readonly<Record<string, string>> = { SET: 'value' };
  const lookup = (name: string) => values[name];
  assert.equal(interpolate(`\${SET:other}`, lookup).text, 'value');
  assert.equal(interpolate(`\${NOT:http://a:1}`, lookup).text, 'http://a:1');
  assert.equal(interpolate(`<\${NOT:}>`, lookup).text, '<>');
  assert.deepEqual(interpolate(`\${NOT}\${NOR}`, lookup).unset, ['NOT', 'NOR']);
});

test('plain scalars are read by the core schema, and a number that would change is not', () => {
  const cases: [string, unknown][] = [
    ['587', 587],
    ['-1.5e3', -1500],
    ['true', true],
    ['False', false],
    ['~', null],
    ['', ''],
    ['yes', 'yes'],
    ['1.2.3', '1.2.3'],
    ['820982911946154508', '820982911946154508'],
  ];
  for (const [text, value] of cases) assert.equal(readCoreScalar(text), value, text);
});

test('canonical JSON does not depend on the order of keys', () => {
  const left = { b: [1, { d: 1, c: undefined }], a: null };
  const right = { a: null, b: [1, { d: 1 }] };
  assert.equal(canonicalJson(left), canonicalJson(right));
  assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
});
