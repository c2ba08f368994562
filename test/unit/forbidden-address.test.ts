import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedLookup, isForbiddenAddress } from '../../src/connectors/forbidden-address.ts';

test('link-local and metadata addresses are forbidden, in IPv4 and in every IPv6 disguise', () => {
  for (const address of [
    '169.254.169.254',
    '169.254.0.1',
    '0.0.0.0',
    '100.100.100.200',
    '168.63.129.16',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
  ]) {
    assert.equal(isForbiddenAddress(address), true, address);
  }
});

test('loopback, private and public addresses are allowed, and names are not judged', () => {
  for (const host of ['127.0.0.1', '10.1.2.3', '192.168.1.1', '8.8.8.8', '::1', 'fd00::1', 'erp']) {
    assert.equal(isForbiddenAddress(host), false, host);
  }
});

test('a lookup that ends at a forbidden address fails', async () => {
  const code = await new Promise((resolve) => {
    guardedLookup('169.254.169.254', {}, (error) => resolve(error?.code));
  });
  assert.equal(code, 'ADDRESS_FORBIDDEN');
});

test('a lookup answers in the form that was asked for', async () => {
  const one = await new Promise((resolve) => {
    guardedLookup('127.0.0.1', {}, (_error, address, family) => resolve([address, family]));
  });
  assert.deepEqual(one, ['127.0.0.1', 4]);
  const all = await new Promise((resolve) => {
    guardedLookup('127.0.0.1', { all: true }, (_error, addresses) => resolve(addresses));
  });
  assert.deepEqual(all, [{ address: '127.0.0.1', family: 4 }]);
});
