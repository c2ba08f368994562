import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createClientAddress } from '../../src/http/client-address.ts';

const trusted = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'];

function clientOf(peer: string, forwarded?: string, proxies: readonly string[] = trusted) {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return createClientAddress(proxies)(request);
}

const direct = (address: string) => ({ address, viaTrustedProxy: false });
const told = (address: string) => ({ address, viaTrustedProxy: true });

test('without trusted proxies the connection alone counts', () => {
  assert.deepEqual(clientOf('198.51.100.9', '203.0.113.7', []), direct('198.51.100.9'));
  assert.deepEqual(clientOf('127.0.0.1', '203.0.113.7', []), direct('127.0.0.1'));
});

test('a stranger cannot say who it is', () => {
  assert.deepEqual(clientOf('198.51.100.9', '10.0.0.1'), direct('198.51.100.9'));
  assert.deepEqual(clientOf('::ffff:198.51.100.9', '10.0.0.1'), direct('198.51.100.9'));
});

test('behind trusted proxies, what the first of them saw counts, and nothing left of it', () => {
  assert.deepEqual(clientOf('10.1.2.3', '203.0.113.7'), told('203.0.113.7'));
  assert.deepEqual(clientOf('::ffff:10.1.2.3', '203.0.113.7'), told('203.0.113.7'));
  assert.deepEqual(clientOf('2001:db8::5', '1.1.1.1, 203.0.113.7,10.9.9.9'), told('203.0.113.7'));
  assert.deepEqual(clientOf('192.0.2.1', '10.0.0.1, 203.0.113.7'), told('203.0.113.7'));
  assert.deepEqual(clientOf('10.1.2.3', 'x, 203.0.113.7 , 10.9.9.9'), told('203.0.113.7'));
});

test('where all are trusted, the one that is furthest away counts', () => {
  assert.deepEqual(clientOf('10.1.2.3', '10.0.0.1, 10.0.0.2'), told('10.0.0.1'));
  assert.deepEqual(clientOf('10.1.2.3'), told('10.1.2.3'));
  assert.deepEqual(clientOf('10.1.2.3', ' ,, '), told('10.1.2.3'));
});

test('takes addresses as proxies write them', () => {
  assert.deepEqual(clientOf('10.1.2.3', '203.0.113.7:51022'), told('203.0.113.7'));
  assert.deepEqual(clientOf('10.1.2.3', '[2001:db9::7]:51022'), told('2001:db9::7'));
  assert.deepEqual(clientOf('10.1.2.3', '[2001:db9::7]'), told('2001:db9::7'));
  assert.deepEqual(clientOf('10.1.2.3', '2001:db9::7'), told('2001:db9::7'));
  assert.deepEqual(clientOf('10.1.2.3', '::ffff:203.0.113.7'), told('203.0.113.7'));
});

test('what a proxy tells that is no address is nobody, not the proxy', () => {
  for (const hop of ['unknown', '_hidden', 'shop.example', '203.0.113', '203.0.113.7:x', '<b>']) {
    assert.deepEqual(clientOf('10.1.2.3', `203.0.113.7, ${hop}`), { viaTrustedProxy: true }, hop);
  }
});
