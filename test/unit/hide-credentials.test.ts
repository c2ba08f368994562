// What is kept of a refused request's credentials, and what of it can be put back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { hideCredentials, revealCredentials } from '../../src/intake/hide-credentials.ts';
import { receiveOf, requestOf, type TestRequest, verdictOf } from '../support/receiver.ts';

const secret = 'a-secret of the shop+/=';
const digest = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

const verifyOf = (verify: object, secrets = [secret]) =>
  receiveOf({ verify: verify as never, secrets });

const all = ({ target, headers, body }: ReturnType<typeof hideCredentials>): string =>
  `${target} ${JSON.stringify(headers)} ${body.toString()}`;

describe('the credentials of a refused request', () => {
  const ways: readonly (readonly [string, object, TestRequest])[] = [
    [
      'a password',
      'basic' as never,
      { headers: { authorization: `Basic ${Buffer.from(secret).toString('base64')}` } },
    ],
    ['a token in a header', { token: { header: 'X-Key' } }, { headers: { 'x-key': secret } }],
    [
      'a token after a prefix',
      { token: { header: 'Authorization', prefix: 'Bearer ' } },
      { headers: { authorization: `Bearer ${secret}` } },
    ],
    [
      'a token in the query',
      { token: { query: 'k' } },
      { target: `/webhooks/one?a=1&k=${encodeURIComponent(secret)}&b=%C3%A9` },
    ],
    [
      'a token in a form',
      { token: { form: 'k' } },
      { body: `a=%C3%A9+x&k=${encodeURIComponent(secret)}&b=2` },
    ],
    [
      'a token in JSON',
      { token: { json: 'auth.key' } },
      { body: `{ "id": 820982911946154508, "auth": { "key": ${JSON.stringify(secret)} } }` },
    ],
  ];
  for (const [what, verify, given] of ways) {
    test(`${what} is kept as its hash, and put back where the hash is that of a secret`, async () => {
      const receive = verifyOf(verify);
      const request = requestOf(given);
      const kept = hideCredentials(request, receive);
      assert.equal(kept.hidden.length, 1);
      const text = all(kept);
      assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)), text);
      assert.ok(decodeURIComponent(text).includes(digest(secret)), text);
      // As it stands it fits nothing, neither here nor from a stranger.
      assert.equal((await verdictOf(receive, { ...given, ...kept })).kind, 'refused');
      const shown = revealCredentials(kept, receive);
      const { target, headers, body } = request;
      assert.deepEqual(shown, { target, headers, body });
      const other = verifyOf(verify, ['another secret']);
      const { hidden: _, ...unchanged } = kept;
      assert.deepEqual(revealCredentials(kept, other), unchanged);
    });
  }

  test('a hash that a stranger sends is hashed too, and is never taken for a secret', async () => {
    const receive = verifyOf({ token: { header: 'X-Key' } });
    const given = { headers: { 'x-key': digest(secret) } };
    const request = requestOf(given);
    assert.equal((await verdictOf(receive, given)).kind, 'refused');
    const kept = hideCredentials(request, receive);
    assert.equal(kept.headers['x-key'], digest(digest(secret)));
    const shown = revealCredentials(kept, receive);
    assert.equal((await verdictOf(receive, { ...shown })).kind, 'refused');
    // Kept under a file that did not name the header, it was not hidden then.
    const { target, headers, body } = request;
    const unhidden = revealCredentials({ target, headers, body, hidden: [] }, receive);
    assert.equal(unhidden.headers['x-key'], digest(secret));
  });

  test('what is signed stays, and what sounds like a secret does not', () => {
    const receive = verifyOf({
      hmac: 'sha256',
      encoding: 'hex',
      header: 'Authorization',
      signs: '{header:X-Token}{body}',
    });
    const headers = {
      authorization: 'abc',
      'x-token': 'signed',
      'x-api-key': 'k-1',
      cookie: 'a=b',
      'x-topic': 't',
    };
    const kept = hideCredentials(
      requestOf({ headers, target: '/webhooks/one?access_token=t1&page=2' }),
      receive,
    );
    assert.equal(kept.headers['authorization'], 'abc');
    assert.equal(kept.headers['x-token'], 'signed');
    assert.equal(kept.headers['x-topic'], 't');
    assert.equal(kept.headers['x-api-key'], digest('k-1'));
    assert.equal(kept.headers['cookie'], digest('a=b'));
    assert.match(kept.target, /access_token=sha256%3A[0-9a-f]{64}&page=2$/);
  });

  test('a secret of the connector is kept nowhere, whatever place it was sent in', () => {
    const receive = verifyOf({ hmac: 'sha256', header: 'X-Sig', encoding: 'hex' });
    const kept = hideCredentials(
      requestOf({
        headers: { 'x-note': `it is ${secret}` },
        target: `/webhooks/one?note=${encodeURIComponent(secret)}`,
        body: `a ${secret}`,
      }),
      receive,
    );
    assert.deepEqual(kept.hidden.toSorted(), ['body', 'header x-note', 'query']);
    assert.equal(kept.target, '/webhooks/one');
    assert.equal(kept.body.length, 0);
    assert.match(kept.headers['x-note'] ?? '', /^sha256:/);
  });

  test('a body that is no JSON is not kept where its token would stand in it', () => {
    const receive = verifyOf({ token: { json: 'key' } });
    const kept = hideCredentials(requestOf({ body: '{ "key": "else" ' }), receive);
    assert.deepEqual([kept.body.length, kept.hidden], [0, ['body']]);
  });
});
