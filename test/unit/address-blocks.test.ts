import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnvironment } from '../../src/config/environment.ts';
import { addressBlockProblem, createAddressBlocks } from '../../src/model/address-blocks.ts';
import { receiveOf, verdictOf } from '../support/receiver.ts';

test('an address lies in a block or not, of both families', () => {
  const blocks = createAddressBlocks(['203.0.113.0/24', '198.51.100.7', '2001:db8::/32']);
  for (const inside of [
    '203.0.113.0',
    '203.0.113.255',
    '198.51.100.7',
    '::ffff:198.51.100.7',
    '2001:db8:ffff::1',
    '2001:0DB8::1',
  ]) {
    assert.equal(blocks.has(inside), true, inside);
  }
  for (const outside of ['203.0.112.255', '198.51.100.8', '2001:db9::', '::1', '', 'x', '1.2.3']) {
    assert.equal(blocks.has(outside), false, outside);
  }
});

test('a block of everything holds everything of its family', () => {
  const blocks = createAddressBlocks(['0.0.0.0/0']);
  assert.equal(blocks.has('8.8.8.8'), true);
  assert.equal(blocks.has('2001:db8::1'), false);
});

test('says what is no address and no block', () => {
  for (const right of ['10.0.0.0/8', '10.0.0.1', '::/0', '2001:db8::/128', '0.0.0.0/0']) {
    assert.equal(addressBlockProblem(right), undefined, right);
  }
  assert.equal(addressBlockProblem('10.0.0.0/33'), '"10.0.0.0/33" must end in /0 to /32');
  for (const wrong of ['::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0.0/ 8']) {
    assert.match(addressBlockProblem(wrong) ?? '', /must end in/, wrong);
  }
  for (const wrong of ['', 'localhost', '10.0.0', '10.0.0.0.0/8', 'fe80::1%eth0', '1.2.3.4:80']) {
    assert.match(addressBlockProblem(wrong) ?? '', /is no IP address/, wrong);
  }
});

test('the trusted proxies of the environment are read, and none by default', () => {
  assert.deepEqual(parseEnvironment({}).trustedProxies, []);
  const { trustedProxies } = parseEnvironment({ CROSSDOCK_TRUSTED_PROXIES: ' 10.0.0.0/8, ::1 ,' });
  assert.deepEqual(trustedProxies, ['10.0.0.0/8', '::1']);
  assert.throws(
    () => parseEnvironment({ CROSSDOCK_TRUSTED_PROXIES: '10.0.0.0/8,proxy.example,1.2.3.4/40' }),
    /CROSSDOCK_TRUSTED_PROXIES: "proxy.example" is no IP.*CROSSDOCK_TRUSTED_PROXIES: "1.2.3.4\/40"/,
  );
});

test('an address list lets in who is listed, and nobody who is unknown', async () => {
  const receive = receiveOf({ verify: { addresses: ['203.0.113.0/24'] } });
  const codes = await Promise.all(
    ['203.0.113.9', '203.0.114.9', undefined].map(async (address) => {
      const verdict = await verdictOf(receive, address === undefined ? {} : { address });
      return verdict.kind === 'refused' ? verdict.code : verdict.kind;
    }),
  );
  assert.deepEqual(codes, ['authentic', 'address-not-listed', 'address-not-listed']);
});

test('the subject of a certificate counts only from a trusted proxy', async () => {
  const certificate = { header: 'X-Client-Subject', subjects: ['CN=shop,O=Example'] };
  const receive = receiveOf({ verify: { certificate } });
  const headers = { 'X-Client-Subject': 'CN=shop,O=Example' };
  const codeOf = async (request: object) => {
    const verdict = await verdictOf(receive, request);
    return verdict.kind === 'refused' ? verdict.code : verdict.kind;
  };
  assert.equal(await codeOf({ headers, viaTrustedProxy: true }), 'authentic');
  assert.equal(await codeOf({ headers, viaTrustedProxy: false }), 'credentials-missing');
  assert.equal(await codeOf({ headers }), 'credentials-missing');
  assert.equal(await codeOf({ viaTrustedProxy: true }), 'credentials-missing');
  const other = { 'X-Client-Subject': 'CN=shop,O=Other' };
  assert.equal(await codeOf({ headers: other, viaTrustedProxy: true }), 'subject-not-listed');
});
