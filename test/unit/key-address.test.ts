import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyAddress } from '../../src/intake/key-address.ts';

const hosts = ['*.paypal.com', 'sns.*.amazonaws.com', 'keys.vendor.example'];

function isAllowed(address: string): boolean {
  return keyAddress(address, hosts) !== undefined;
}

test('takes the hosts that are named, label by label', () => {
  for (const address of [
    'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem',
    'https://keys.vendor.example/',
  ]) {
    assert.equal(keyAddress(address, hosts)?.href, address);
  }
});

test('a star is exactly one label', () => {
  for (const host of ['paypal.com', 'a.b.paypal.com', '.paypal.com', 'sns.amazonaws.com']) {
    assert.equal(isAllowed(`https://${host}/k.pem`), false, host);
  }
});

test('refuses what only looks like such a host', () => {
  for (const address of [
    'https://evil.example/?x=.paypal.com',
    'https://evil.example/#.paypal.com',
    'https://evil.example/api.paypal.com',
    'https://api.paypal.com.evil.example/k',
    'https://evilpaypal.com/k',
    'https://api-paypal.com/k',
    'https://api.paypal.com@evil.example/k',
    'https://user@api.paypal.com/k',
    'https://user:word@api.paypal.com/k',
    'https://api.paypal.com:8443/k',
    'https://api.paypal.com:443/k',
    'https://API.paypal.com/k',
    'HTTPS://api.paypal.com/k',
    'https://api.paypal.com./k',
    'https://api.paypal.com',
    'https://api.paypal.com/k?x=1',
    'https://api.paypal.com/k#1',
    'https://api.paypal.com\\@evil.example/k',
    'https:\\\\api.paypal.com\\k',
    'https:/api.paypal.com/k',
    'https:api.paypal.com/k',
    ' https://api.paypal.com/k',
    'https://api.pay\tpal.com/k',
    'https://api.paypal.com/a/../k',
    'https://api.paypal.com/a/%2e%2e/k\n',
    'https://api.paypal。com/k',
    'https://аpi.paypal.com/k',
    'http://api.paypal.com/k',
    'ftp://api.paypal.com/k',
    'file:///etc/api.paypal.com',
    'https://127.0.0.1/k',
    'https://2130706433/k',
    'https://[::1]/k',
    'https://169.254.169.254/latest/meta-data',
    'https://sns.evil.example/x.amazonaws.com',
    `https://api.paypal.com/${'k'.repeat(600)}`,
    '/k.pem',
    '',
  ]) {
    assert.equal(isAllowed(address), false, address);
  }
});

test('an address of numbers fits no pattern of names', () => {
  assert.equal(keyAddress('https://10.0.0.1/k', ['*.0.0.1x', '*.*.*.com']), undefined);
});
