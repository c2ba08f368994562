// What intake makes of proxies and of keys that are away, over HTTP.

import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import { WRONG_TRIES_MAX } from '../../src/http/admin.ts';
import { createIntake } from '../../src/intake/intake.ts';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { createPublishedKeys } from '../../src/intake/published-keys.ts';
import { unnotedRefusals } from '../../src/intake/refusals.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { type HttpHub, startHttp } from '../support/http-hub.ts';
import { type KeyServer, signer, silentLog, startKeyServer } from '../support/key-server.ts';
import { receiveOf } from '../support/receiver.ts';

let server: KeyServer;
let direct: HttpHub;
let behindProxy: HttpHub;
let nowMs = Date.parse('2026-11-01T00:00:00Z');

const verified: Readonly<Record<string, JsonObject>> = {
  listed: { addresses: ['203.0.113.0/24'] },
  mutual: { certificate: { header: 'X-Client-Subject', subjects: ['CN=shop'] } },
  signed: {
    rsa: 'sha256',
    header: 'X-Signature',
    encoding: 'base64',
    key: { fetch: 'x509', at: { header: 'X-Key' }, hosts: ['keys.vendor.example'] },
  },
};

before(async () => {
  server = await startKeyServer();
  const connectors = new Map(
    Object.entries(verified).map(([id, verify]): [string, ConnectorDefinition] => [
      id,
      { id, receive: receiveOf({ verify }) } as ConnectorDefinition,
    ]),
  );
  const { agent } = server;
  const ports = { log: silentLog, meter: silentMeter };
  const intake = createIntake({
    ...ports,
    receivers: createLiveReceivers(connectors, {
      keys: createPublishedKeys({ ...ports, agent, now: () => nowMs }),
    }),
    secrets: { matched: () => undefined },
    refusals: unnotedRefusals,
    confirmations: { hasRoom: () => true, confirm: async () => undefined },
    routes: { route: () => [] } as never,
    journal: { append: async () => ({ kind: 'stored', id: 'e1' }) } as never,
    lanes: {} as never,
  });
  direct = await startHttp({ intake });
  behindProxy = await startHttp({ intake, trustedProxies: ['127.0.0.0/8'] });
});
beforeEach(() => {
  server.answer(signer.certificate);
  nowMs += 60_000;
});
after(async () => {
  await direct.server.close(1_000);
  await behindProxy.server.close(1_000);
  await server.close();
});

function post(hub: HttpHub, connector: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${hub.url}/webhooks/${connector}`, { method: 'POST', body: '{"id":1}', headers });
}

test('an address list goes by what a trusted proxy says, and by nobody else', async () => {
  const forwarded = (list: string) => ({ 'x-forwarded-for': list });
  const statusOf = async (hub: HttpHub, list: string) =>
    (await post(hub, 'listed', forwarded(list))).status;
  assert.equal(await statusOf(behindProxy, '203.0.113.7'), 200);
  assert.equal(await statusOf(behindProxy, '203.0.113.7, 198.51.100.1'), 401);
  assert.equal(await statusOf(behindProxy, 'unknown'), 401);
  assert.equal(await statusOf(direct, '203.0.113.7'), 401);
});

test('the subject of a certificate is believed of a trusted proxy alone', async () => {
  const headers = { 'x-client-subject': 'CN=shop' };
  assert.equal((await post(behindProxy, 'mutual', headers)).status, 200);
  assert.equal((await post(direct, 'mutual', headers)).status, 401);
});

test('a key that is away is 503 with a time to come again; then the same webhook is taken', async () => {
  const headers = {
    'x-signature': createSign('sha256').update('{"id":1}').sign(signer.privateKey, 'base64'),
    'x-key': 'https://keys.vendor.example/key.pem',
  };
  server.answer((_request, response) => response.writeHead(500).end());
  const refused = await post(direct, 'signed', headers);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '30');
  assert.equal(((await refused.json()) as { code: string }).code, 'key-unavailable');
  server.answer(signer.certificate);
  nowMs += 30_000;
  assert.equal((await post(direct, 'signed', headers)).status, 200);
  const forged = { ...headers, 'x-key': 'https://keys.evil.example/key.pem' };
  assert.equal((await post(direct, 'signed', forged)).status, 401);
});

test('a host that does not answer keeps no other request waiting', async () => {
  server.answer(() => undefined);
  const slow = post(direct, 'signed', {
    'x-signature': 'AAAA',
    'x-key': 'https://keys.vendor.example/slow.pem',
  });
  const quick = post(behindProxy, 'listed', { 'x-forwarded-for': '203.0.113.7' });
  assert.equal((await Promise.race([slow, quick])).status, 200);
  assert.equal((await slow).status, 503);
});

test('wrong tokens are counted for each client behind a proxy, not for the proxy', async () => {
  const path = `${behindProxy.url}/events/nothing`;
  const tryToken = async (address: string) => {
    const headers = { 'x-forwarded-for': address, authorization: 'Bearer wrong' };
    return (await fetch(path, { headers })).status;
  };
  for (let count = 0; count <= WRONG_TRIES_MAX; count += 1) await tryToken('198.51.100.1');
  assert.equal(await tryToken('198.51.100.1'), 429);
  assert.equal(await tryToken('198.51.100.2'), 401);
});
