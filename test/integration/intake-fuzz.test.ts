// Whatever comes over the wire: it is answered in time, without a 5xx of the hub's own making, and
// nothing is taken that nobody signed. Every entry of the catalogue listens; the senders that sign
// are the vendors' own packages, or Node's crypto where a vendor has none.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { entryNames } from '../support/catalogue-entry.ts';
import {
  type Change,
  changes,
  genuine,
  line,
  secret,
  signers,
  stranger,
  webhookSecret,
} from '../support/fuzz-requests.ts';
import { type HandshakeHub, startHandshakeHub } from '../support/handshake-hub.ts';
import { bytesOf, exchange, type RawAnswer, type RawRequest } from '../support/raw-http.ts';

let parts: HandshakeHub;
/** Each request has an address of its own, so that none is refused for those before it. */
let client = 0;

before(async () => {
  const any = Object.fromEntries(entryNames.map((name) => [name, undefined]));
  const signed = Object.fromEntries(Object.keys(signers).map((name) => [name, secret]));
  parts = await startHandshakeHub({ ...any, ...signed, 'standard-webhooks': webhookSecret });
});
after(() => parts.close());

async function send(request: RawRequest): Promise<RawAnswer> {
  client += 1;
  const address = `2001:db8:${(client >> 16).toString(16)}:${(client & 0xffff).toString(16)}::1`;
  const headers = [...request.headers, ['x-forwarded-for', address] as const];
  return exchange(parts.hub.url, bytesOf({ ...request, headers }));
}

/** An answer that lays the blame on the hub; some vendors want a 503 for what is not signed. */
function isOwnFailure({ status, body }: RawAnswer): boolean {
  if (status === undefined || status < 500) return false;
  const told = body === '' ? {} : (JSON.parse(body) as { readonly code?: string });
  return status !== 503 || !['signature-invalid', 'key-unavailable'].includes(told.code ?? '');
}

test('a stranger is answered, and nothing of it is kept as an event', async () => {
  const before = parts.events.length;
  await fc.assert(
    fc.asyncProperty(stranger, async (request) => {
      const answer = await send(request);
      assert.ok(answer.status !== undefined, 'no answer');
      assert.ok(!isOwnFailure(answer), `${answer.status} ${answer.body}`);
      assert.equal(parts.events.length, before);
    }),
    { numRuns: 1_500 },
  );
});

test('what is made of a signed webhook is taken only with the bytes that were signed', async () => {
  let taken = 0;
  let refused = 0;
  const change = fc
    .tuple(fc.nat(changes.length - 1), fc.nat(10_000))
    .map(([which, at]): Change => changes[which]?.(at) ?? ((one) => one));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(signers)),
      fc.uuid(),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (entry, mark, list) => {
        const signed = genuine(entry, mark);
        const before = parts.events.length;
        const answer = await send(list.reduce((one, apply) => apply(one), signed));
        assert.ok(answer.status !== undefined, 'no answer');
        assert.ok(!isOwnFailure(answer), `${answer.status} ${answer.body}`);
        const kept = parts.events.slice(before);
        taken += kept.length;
        refused += kept.length === 0 ? 1 : 0;
        for (const event of kept) {
          assert.equal(event.source, entry);
          assert.deepEqual(event.body, signed.body);
        }
      },
    ),
    { numRuns: 1_500 },
  );
  // Else the property would say little of one side.
  assert.ok(taken > 50, `${taken} were taken`);
  assert.ok(refused > 500, `${refused} were refused`);
});

test('each signer that the changes start from is one that intake believes', async () => {
  for (const entry of Object.keys(signers)) {
    const signed = genuine(entry, `whole-${entry}`);
    const { status, body: told } = await send(signed);
    assert.ok(status !== undefined && status < 300, `${entry}: ${status} ${told}`);
    assert.deepEqual(parts.events.at(-1)?.body, signed.body);
  }
});

test('bytes that are no proper HTTP are answered or hung up on, and the hub goes on', async () => {
  const before = parts.events.length;
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 9 }), fc.uint8Array(), async (lines, rest) => {
      const text = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
      const { status = 0 } = await exchange(parts.hub.url, Buffer.concat([text, rest]), {
        end: true,
      });
      assert.ok(status < 500, String(status));
    }),
    { numRuns: 400 },
  );
  assert.equal(parts.events.length, before);
  const { status } = await send(genuine('shopify', 'afterwards'));
  assert.equal(status, 200);
});
