// Who may ask for something to be signed must not be able to forge a webhook with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import { createIntake, type Intake } from '../../src/intake/intake.ts';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { unnotedRefusals } from '../../src/intake/refusals.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { silentMeter } from '../../src/model/meter.ts';
import type { Lanes } from '../../src/queue/lanes.ts';
import { noKeys, receiveOf } from '../support/receiver.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';

function intakeOn(journal: Journal): Intake {
  const receive = receiveOf({
    verify: {
      hmac: 'sha256',
      header: 'X-Twitter-Webhooks-Signature',
      encoding: 'base64',
      prefix: 'sha256=',
    },
    secrets: ['s3cret'],
    handshakes: ['x-crc'],
  });
  const connectors = new Map([['asked', { id: 'asked', receive } as ConnectorDefinition]]);
  return createIntake({
    receivers: createLiveReceivers(connectors, { keys: noKeys }),
    secrets: { matched: () => undefined },
    refusals: unnotedRefusals,
    routes: { route: () => [] },
    lanes: {} as Lanes,
    meter: silentMeter,
    log: quietLog,
    confirmations: { hasRoom: () => true, confirm: async () => undefined },
    journal,
  });
}

test('a challenge that strangers ask for never signs what counts as a webhook', async () => {
  const { journal, close } = await openTestJournal();
  const intake = intakeOn(journal);
  const ask = async (token: string): Promise<string | undefined> => {
    const target = `/webhooks/asked?crc_token=${encodeURIComponent(token)}`;
    const request = { connector: 'asked', method: 'GET', target, headers: {}, rawHeaders: [] };
    try {
      const answer = await intake.accept({ ...request, body: Buffer.alloc(0) });
      return (JSON.parse(answer.text?.body ?? '{}') as { response_token?: string }).response_token;
    } catch (error) {
      assert.ok(isCrossdockError(error, 'request-malformed'));
      return undefined;
    }
  };
  const post = (body: Buffer, signature: string, sentBody?: Buffer) =>
    intake.accept({
      ...{ connector: 'asked', method: 'POST', target: '/webhooks/asked', rawHeaders: [] },
      headers: { 'content-type': 'application/json', 'x-twitter-webhooks-signature': signature },
      body,
      ...(sentBody === undefined ? {} : { sentBody }),
    });
  assert.equal(await ask('{"forged":1}'), undefined);
  const signature = await ask('12345');
  assert.ok(signature !== undefined, 'a token is answered');
  const isRefused = (error: unknown) => isCrossdockError(error, 'signature-invalid');
  await assert.rejects(post(Buffer.from('12345'), signature), isRefused);
  // The same letters as compressed bytes that hold something else.
  await assert.rejects(
    post(Buffer.from('{"forged":2}'), signature, Buffer.from('12345')),
    isRefused,
  );
  assert.deepEqual(await journal.listEvents({ source: 'asked' }), []);
  await close();
});
