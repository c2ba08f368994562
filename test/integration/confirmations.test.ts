import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  CONFIRMATIONS_MAX,
  type Confirmations,
  createConfirmations,
} from '../../src/intake/confirmations.ts';
import type { LogLine } from '../support/http-hub.ts';
import { type KeyServer, silentLog, startKeyServer } from '../support/key-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: KeyServer;
let confirmations: Confirmations;
let lines: Omit<LogLine, 'level'>[];
let paths = 0;

const note = (fields: object, message: string) => {
  lines.push({ fields: { ...fields }, message });
};

before(async () => {
  server = await startKeyServer();
});
beforeEach(() => {
  lines = [];
  const log = { ...silentLog, info: note, warn: note };
  confirmations = createConfirmations({ log, agent: server.agent, restsMs: [1, 1, 1] });
});
after(() => server.close());

function newOne(source = 'one') {
  paths += 1;
  const url = new URL(`https://a.vendor.example/${paths}?token=of-the-test`);
  return { source, handshake: 'sns-confirm', url };
}

function times({ url }: { readonly url: URL }): number {
  return server.asked.filter((one) => `https://${one}` === url.href).length;
}

test('what fails is tried again some times, and given up with the reason', async () => {
  server.answer((_request, response) => response.writeHead(503).end());
  const one = newOne();
  await confirmations.confirm(one);
  assert.equal(times(one), 4);
  const host = 'a.vendor.example';
  const fields = {
    source: 'one',
    handshake: 'sns-confirm',
    host,
    code: 'bad-status',
    detail: '503',
  };
  assert.deepEqual(lines, [{ fields, message: 'a subscription is not confirmed' }]);
});

test('what is refused or sent elsewhere is not tried again', async () => {
  for (const [status, code] of [
    [403, 'bad-status'],
    [302, 'redirected'],
  ] as const) {
    const location = 'https://b.vendor.example/elsewhere';
    server.answer((_request, response) => response.writeHead(status, { location }).end());
    const one = newOne();
    const log = { ...silentLog, warn: note };
    // What is logged is logged once a minute.
    await createConfirmations({ log, agent: server.agent }).confirm(one);
    assert.equal(times(one), 1);
    assert.equal(lines.at(-1)?.fields['code'], code);
  }
  assert.ok(!server.asked.some((one) => one.includes('elsewhere')));
});

test('one that is under way is not asked twice, and one connector cannot take all places', async () => {
  const held: (() => void)[] = [];
  server.answer((_request, response) => held.push(() => response.end('ok')));
  const mine = Array.from({ length: CONFIRMATIONS_MAX }, () => newOne());
  const work = [...mine, ...mine].map((one) => confirmations.confirm(one));
  await confirmations.confirm(newOne());
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['too many confirmations at once; one was left out'],
  );
  const theirs = newOne('other');
  work.push(confirmations.confirm(theirs));
  await waitUntil('all to be asked', () => (held.length > CONFIRMATIONS_MAX ? held : undefined));
  for (const answer of held) answer();
  await Promise.all(work);
  assert.deepEqual(
    [...mine, theirs].map(times),
    Array.from({ length: 5 }, () => 1),
  );
});

test('a hub that leaves waits for no rest, and asks nothing more', async () => {
  server.answer((_request, response) => response.writeHead(500).end());
  const log = { ...silentLog, warn: note };
  const slow = createConfirmations({ log, agent: server.agent, restsMs: [3_600_000] });
  const one = newOne();
  const work = slow.confirm(one);
  await waitUntil('the first try', () => (times(one) === 1 ? one : undefined));
  await slow.close();
  await work;
  assert.equal(times(one), 1);
  const late = newOne();
  await slow.confirm(late);
  assert.equal(times(late), 0);
});
