// Deliveries tried apart, in the real process, against a real target.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/config/package-root.ts';
import type { Work } from '../../src/delivery/attempt.ts';
import { createSuspects, type Suspects } from '../../src/delivery/suspects.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { newId } from '../../src/model/ids.ts';
import { defaultRetryPolicy } from '../../src/model/retry.ts';
import { childProcesses } from '../support/child-processes.ts';
import { type HttpTarget, ok, startHttpTarget } from '../support/http-target.ts';
import { quietLog, temporaryFolder } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const program = join(packageRoot, 'dist', 'src', 'suspect-child.js');
const bytes = Buffer.from('{"id":12345678901234567890,"name":"Zoë"}');

function work(): Work {
  const id = newId();
  return {
    deliveryId: newId(),
    revision: {
      hash: `as-it-is-${id}`,
      flow: 'order-to-erp',
      connector: 'erp',
      operation: 'createOrder',
      program: {},
      retry: defaultRetryPolicy,
    },
    event: {
      id,
      source: 'shop',
      topic: 'orders/create',
      dedupeKey: id,
      body: bytes,
      headers: {},
      sha256: '',
      receivedAt: new Date(),
    },
    attempts: 0,
    spent: 0,
    ageMs: 0,
    ambiguous: true,
    sendBeforeMs: performance.now() + 60_000,
  };
}

describe('a delivery that is tried apart', () => {
  let target: HttpTarget;
  let project: Awaited<ReturnType<typeof createTestProject>>;
  let suspects: Suspects;

  function open(options: { idleMs?: number; folder?: string; program?: string } = {}): Suspects {
    const environment = {
      PATH: process.env['PATH'],
      CROSSDOCK_DIR: options.folder ?? project.folder,
      SHOP_SECRET: shopSecret,
      ERP_TOKEN: 'token-of-the-erp',
    };
    return createSuspects({ program, environment, log: quietLog, ...options });
  }

  function attemptOnce(forMs = 60_000, signal = new AbortController().signal) {
    return suspects.attempt(work(), { signal, endsMs: performance.now() + forMs });
  }

  /** As the lane does it: what found no process comes again. */
  async function attempt(forMs = 60_000, signal = new AbortController().signal) {
    const endMs = performance.now() + 60_000;
    for (;;) {
      const answer = await attemptOnce(forMs, signal);
      if (answer.kind !== 'busy' || performance.now() > endMs) return answer;
    }
  }

  const ours = () => childProcesses(process.pid, 'suspect-child');

  before(async () => {
    target = await startHttpTarget();
    project = await createTestProject({ erpUrl: target.url, timeout: '20s' });
    suspects = open();
  });
  after(async () => {
    await suspects.close();
    await project.remove();
    await target.close();
  });

  test('sends the bytes as they came, and its verdict comes back', async () => {
    const answer = await attempt();
    assert.equal(answer.kind, 'verdict');
    assert.equal(answer.kind === 'verdict' && answer.verdict.state, 'delivered');
    assert.equal(target.received.at(-1)?.body, bytes.toString());
    assert.equal(target.received.at(-1)?.headers.authorization, 'Bearer token-of-the-erp');
  });

  test('is told of the end of its process, and the next one has a new process', async () => {
    target.answer(() => undefined);
    const arrives = target.next();
    const answer = attempt();
    await arrives;
    for (const pid of ours()) process.kill(pid, 'SIGKILL');
    assert.deepEqual(await answer, { kind: 'died', how: 'it ended with SIGKILL' });
    target.answer(ok);
    assert.equal((await attempt()).kind, 'verdict');
  });

  test('is ended where it does not end before its lease does: no strike while its process is well', async () => {
    target.answer(() => undefined);
    const arrives = target.next();
    const answer = attempt(1_500);
    await arrives;
    await assert.rejects(answer, (error) => isCrossdockError(error, 'overloaded'));
    target.answer(ok);
  });

  test('is a strike where its process is stuck when its lease ends', async () => {
    target.answer(() => undefined);
    const arrives = target.next();
    const answer = attempt(9_000);
    await arrives;
    for (const pid of ours()) process.kill(pid, 'SIGSTOP');
    assert.deepEqual(await answer, { kind: 'died', how: 'it did not end before its lease did' });
    target.answer(ok);
  });

  test('waits elsewhere while all places are taken, and is cut off without a strike when the hub leaves', async () => {
    target.answer(() => undefined);
    const before = target.received.length;
    const leaving = new AbortController();
    const taken = [attempt(60_000, leaving.signal), attempt(60_000, leaving.signal)];
    await waitUntil('both are under way', () =>
      target.received.length === before + 2 ? true : undefined,
    );
    assert.deepEqual(await attemptOnce(), { kind: 'busy' });
    leaving.abort();
    for (const cut of await Promise.all(taken)) {
      assert.equal(cut.kind === 'verdict' && cut.verdict.attempt?.spends, false);
    }
    target.answer(ok);
  });

  test('finds no process left once nothing has been suspected for a while', async () => {
    const brief = open({ idleMs: 50 });
    const limits = { signal: new AbortController().signal, endsMs: performance.now() + 60_000 };
    const before = new Set(ours());
    await brief.attempt(work(), limits);
    const started = () => ours().filter((pid) => !before.has(pid));
    await waitUntil('its process is gone', () => (started().length === 0 ? true : undefined));
    await brief.close();
  });

  test('is no strike where the files of the project have mistakes by now', async () => {
    const broken = await createTestProject({ erpUrl: target.url, files: { 'flows/a.yaml': '[' } });
    const without = open({ folder: broken.folder });
    const limits = { signal: new AbortController().signal, endsMs: performance.now() + 60_000 };
    const refused = async () => {
      while ((await without.attempt(work(), limits)).kind === 'busy');
    };
    await assert.rejects(refused(), (error) => {
      assert.ok(isCrossdockError(error, 'overloaded'));
      assert.match(error.message, /does not start/);
      return true;
    });
    await without.close();
    await broken.remove();
  });

  test('goes elsewhere while its process starts late, and that process is used once it is there', async () => {
    const folder = await temporaryFolder();
    const slow = join(folder, 'suspect-child-slow.mjs');
    const url = JSON.stringify(pathToFileURL(program).href);
    await writeFile(slow, `setTimeout(() => import(${url}), 4_000);\n`);
    const late = open({ program: slow });
    const limits = () => ({
      signal: new AbortController().signal,
      endsMs: performance.now() + 60_000,
    });
    assert.deepEqual(await late.attempt(work(), limits()), { kind: 'busy' });
    const [pid] = childProcesses(process.pid, 'suspect-child-slow');
    const answer = await waitUntil(
      'its process is there',
      async () => {
        const one = await late.attempt(work(), limits());
        return one.kind === 'busy' ? undefined : one;
      },
      60_000,
    );
    assert.equal(answer.kind, 'verdict');
    assert.deepEqual(childProcesses(process.pid, 'suspect-child-slow'), [pid]);
    await late.close();
  });

  test('leaves no process behind', async () => {
    await suspects.close();
    assert.deepEqual(ours(), []);
  });
});
