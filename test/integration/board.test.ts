import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { UnrecoverableError } from 'bullmq';
import { CrossdockError } from '../../src/model/errors.ts';
import { type BoardControls, createBoard } from '../../src/queue/board.ts';
import { adminToken, asAdmin, type HttpHub, startHttp } from '../support/http-hub.ts';
import { type RedisLane, startRedisLane } from '../support/redis-lane.ts';
import { skipWithoutRedis } from '../support/redis-server.ts';

const fail = async () => {
  throw new UnrecoverableError('the ERP said no');
};

describe('Bull Board over a lane', skipWithoutRedis(), () => {
  let lane: RedisLane;
  let hub: HttpHub;
  let calls: string[];
  let refuse: (call: string) => CrossdockError | undefined;

  const record = (name: string) => async (id: string, by: string) => {
    const refused = refuse(`${name} ${id}`);
    if (refused !== undefined) throw refused;
    calls.push(`${name} ${id} by ${by}`);
  };
  const controls: BoardControls = {
    retry: record('retry'),
    promote: record('promote'),
    cancel: record('cancel'),
    pauseLane: record('pauseLane'),
    resumeLane: record('resumeLane'),
  };

  before(async () => {
    lane = await startRedisLane('erp');
    const board = createBoard({
      queues: [lane.queue],
      controls,
      basePath: '/queues',
      by: 'bull-board',
    });
    hub = await startHttp({ board, journal: { getEvent: async () => undefined } });
  });
  after(async () => {
    await hub.server.close(1_000);
    await lane.close();
  });
  beforeEach(async () => {
    calls = [];
    refuse = () => undefined;
    await lane.queue.obliterate({ force: true });
  });

  const call = (method: string, path: string, body?: object) =>
    fetch(`${hub.url}/queues/api/queues${path}`, {
      method,
      headers: { ...asAdmin, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const message = async (response: Response) =>
    ((await response.json()) as { message: string }).message;

  const stateOf = (jobId: string) => lane.queue.getJobState(jobId);

  test('the page is there, keeps its policy and asks other sites for nothing it gets', async () => {
    const response = await fetch(`${hub.url}/queues/`, { headers: asAdmin });
    const page = await response.text();
    assert.equal(response.status, 200);
    assert.match(page, /<base href="\/queues\/"/);
    assert.match(page, /<script id="__UI_CONFIG__" type="application\/json">/);
    assert.equal(response.headers.get('x-powered-by'), null);
    const policy = String(response.headers.get('content-security-policy'));
    assert.match(policy, /default-src 'self'/);
    // Each script that the page runs is a file of ours, so that 'self' is enough.
    for (const [tag] of page.matchAll(/<script(?![^>]*application\/json)[^>]*>/g)) {
      assert.match(tag, /src="static\//);
    }
    const script = /src="(static\/js\/main[^"]*)"/.exec(page)?.[1];
    const served = await fetch(`${hub.url}/queues/${script}`, { headers: asAdmin });
    assert.equal(served.status, 200);
  });

  test('a job says what it is, with a link to its delivery and without a body', async () => {
    const { delivery, event } = await lane.add();
    const response = await call('GET', `?activeQueue=erp&status=waiting&page=1&jobsPerPage=10`);
    const { queues } = (await response.json()) as {
      queues: { supportsGlobalRateLimit: boolean; jobs: Record<string, unknown>[] }[];
    };
    const [job] = queues[0]?.jobs ?? [];
    assert.equal(job?.['name'], 'order-to-erp');
    assert.deepEqual(job?.['externalUrl'], {
      displayText: 'delivery',
      href: `/deliveries/${delivery}`,
    });
    assert.deepEqual(job?.['data'], {
      flow: 'order-to-erp',
      topic: 'orders/create',
      key: '<img onerror=alert(1)>',
      event,
      delivery,
      round: 1,
      link: `/deliveries/${delivery}`,
    });
    assert.equal(queues[0]?.supportsGlobalRateLimit, false);
  });

  test('retry on a failed job tries the delivery again and takes the old job away', async () => {
    const { jobId, delivery } = await lane.add();
    await lane.run(1, fail);
    assert.equal(await stateOf(jobId), 'failed');
    assert.equal((await call('PUT', `/erp/${jobId}/retry`)).status, 204);
    assert.deepEqual(calls, [`retry ${delivery} by bull-board`]);
    assert.equal(await stateOf(jobId), 'unknown');
  });

  test('retry that the journal refuses says why and leaves the job', async () => {
    const { jobId } = await lane.add();
    await lane.run(1, fail);
    refuse = () => new CrossdockError('state-conflict', 'delivery 1 is delivered already');
    const response = await call('PUT', `/erp/${jobId}/retry`);
    assert.equal(response.status, 409);
    assert.equal(await message(response), 'delivery 1 is delivered already');
    assert.equal(await stateOf(jobId), 'failed');
  });

  test('a retry while the journal is away is 503 and leaves the job', async () => {
    const { jobId } = await lane.add();
    await lane.run(1, fail);
    refuse = () => new CrossdockError('journal-unavailable', 'the journal does not answer');
    const response = await call('PUT', `/erp/${jobId}/retry`);
    assert.equal(response.status, 503);
    assert.equal(await message(response), 'the journal does not answer');
    assert.equal(await stateOf(jobId), 'failed');
  });

  test('retry all tries each failed delivery, and one that has moved on stops no other', async () => {
    const jobs = [await lane.add(), await lane.add(), await lane.add()];
    await lane.run(3, fail);
    const [first, second, third] = jobs.map(({ delivery }) => delivery);
    refuse = (name) =>
      name === `retry ${second}` ? new CrossdockError('state-conflict', 'moved on') : undefined;
    assert.equal((await call('PUT', `/erp/retry/failed`)).status, 200);
    assert.deepEqual(calls.sort(), [
      `retry ${first} by bull-board`,
      `retry ${third} by bull-board`,
    ]);
    for (const { jobId } of jobs) assert.equal(await stateOf(jobId), 'unknown');
  });

  test('promote makes a delayed delivery due now', async () => {
    const { jobId, delivery } = await lane.add({ delay: 60_000 });
    assert.equal((await call('PUT', `/erp/${jobId}/promote`)).status, 204);
    assert.deepEqual(calls, [`promote ${delivery} by bull-board`]);
    assert.equal(await stateOf(jobId), 'unknown');
  });

  test('promote all makes each delayed delivery due now, more than one page of them', async () => {
    const jobs = [];
    for (let number = 0; number < 120; number += 1) jobs.push(await lane.add({ delay: 60_000 }));
    assert.equal((await call('PUT', `/erp/promote`)).status, 200);
    const expected = jobs.map(({ delivery }) => `promote ${delivery} by bull-board`);
    assert.deepEqual(calls.sort(), expected.sort());
    assert.equal(await lane.queue.getDelayedCount(), 0);
  });

  test('remove cancels the delivery of a waiting job', async () => {
    const { jobId, delivery } = await lane.add();
    assert.equal((await call('PUT', `/erp/${jobId}/clean`)).status, 204);
    assert.deepEqual(calls, [`cancel ${delivery} by bull-board`]);
    assert.equal(await stateOf(jobId), 'unknown');
  });

  test('remove takes a job off the list whose delivery is dead, and leaves the delivery', async () => {
    const { jobId } = await lane.add();
    await lane.run(1, fail);
    refuse = () => new CrossdockError('state-conflict', 'it is dead');
    assert.equal((await call('PUT', `/erp/${jobId}/clean`)).status, 204);
    assert.deepEqual(calls, []);
    assert.equal(await stateOf(jobId), 'unknown');
  });

  test('remove on a job that is under way is 409 and cancels nothing', async () => {
    const { jobId } = await lane.add();
    let release: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const through = lane.run(1, () => {
      begun();
      return new Promise((resolve) => {
        release = () => resolve('done');
      });
    });
    await started;
    assert.equal((await call('PUT', `/erp/${jobId}/clean`)).status, 409);
    assert.equal((await call('PUT', `/erp/clean/active`)).status, 409);
    assert.deepEqual(calls, []);
    release();
    await through;
  });

  test('clean and empty cancel what waits, and spare what has only just come', async () => {
    const long = { timestamp: Date.now() - 60_000 };
    const delayed = await lane.add({ ...long, delay: 600_000 });
    const waiting = await lane.add(long);
    const fresh = await lane.add();
    await call('PUT', `/erp/clean/delayed`);
    assert.deepEqual(calls, [`cancel ${delayed.delivery} by bull-board`]);
    await call('PUT', `/erp/clean/waiting`);
    assert.deepEqual(calls.slice(1), [`cancel ${waiting.delivery} by bull-board`]);
    assert.equal(await stateOf(fresh.jobId), 'waiting');
    assert.equal((await call('PUT', `/erp/empty`)).status, 200);
    assert.deepEqual(calls.slice(2), [`cancel ${fresh.delivery} by bull-board`]);
    assert.equal(await lane.queue.count(), 0);
  });

  test('cleaning finished jobs clears the list and touches no delivery', async () => {
    await lane.add();
    await lane.run(1, fail);
    assert.equal((await call('PUT', `/erp/clean/failed`)).status, 200);
    assert.deepEqual(calls, []);
  });

  test('cleaning a list that does not exist is 400, says so and changes nothing', async () => {
    const { jobId } = await lane.add({ timestamp: Date.now() - 60_000 });
    for (const status of ['wat', 'waiting-children', 'latest']) {
      const response = await call('PUT', `/erp/clean/${status}`);
      assert.equal(response.status, 400, status);
      assert.match(await message(response), new RegExp(`"${status}"`));
    }
    assert.deepEqual(calls, []);
    assert.equal(await stateOf(jobId), 'waiting');
  });

  test('pause and resume go to the journal, for one lane and for all', async () => {
    await call('PUT', `/erp/pause`);
    await call('PUT', '/pause');
    await lane.queue.pause();
    await call('PUT', `/erp/resume`);
    await call('PUT', '/resume');
    await lane.queue.resume();
    assert.deepEqual(calls, [
      'pauseLane erp by bull-board',
      'pauseLane erp by bull-board',
      'resumeLane erp by bull-board',
      'resumeLane erp by bull-board',
    ]);
  });

  test('what would change a lane behind the journal’s back is refused, and says so', async () => {
    const { jobId, delivery } = await lane.add({ delay: 60_000 });
    const refused: [string, string, object?][] = [
      ['POST', `/erp/add`, { name: 'x', data: {}, options: {} }],
      ['PUT', `/erp/obliterate`, { force: true }],
      ['PUT', `/erp/concurrency`, { concurrency: 1 }],
      ['PUT', `/erp/rate-limit`, { max: 1, duration: 1_000 }],
      ['PUT', `/erp/rate-limit/release`],
      ['PATCH', `/erp/${jobId}/update-data`, { jobData: { delivery: 'other' } }],
      ['PATCH', `/erp/${jobId}/delay`, { runAt: 1 }],
      ['PATCH', `/erp/${jobId}/priority`, { priority: 1 }],
      ['PATCH', `/erp/job-schedulers/x`, { every: 1_000 }],
      ['PUT', `/erp/job-schedulers/x/run`],
      ['PUT', `/erp/job-schedulers/x/remove`],
      ['PUT', `/erp/${jobId}/remove-unprocessed-children`],
    ];
    for (const [method, path, body] of refused) {
      const response = await call(method, path, body);
      assert.equal(response.status, 405, path);
      assert.match(await message(response), /Lanes follow the journal/);
    }
    assert.equal((await lane.queue.getJob(jobId))?.data.delivery, delivery);
    assert.equal(await lane.queue.getJobCountByTypes('waiting', 'delayed'), 1);
  });

  test('nothing of it can be reached without the sign-in or from another site', async () => {
    const { jobId } = await lane.add();
    const path = `${hub.url}/queues/api/queues/erp/${jobId}/clean`;
    assert.equal((await fetch(path, { method: 'PUT' })).status, 401);
    assert.equal((await fetch(`${hub.url}/queues/api/queues`)).status, 401);
    const signIn = await fetch(`${hub.url}/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ token: adminToken }),
      headers: { 'sec-fetch-site': 'same-origin' },
      redirect: 'manual',
    });
    const cookie = String(signIn.headers.get('set-cookie')).split(';')[0] ?? '';
    const attempts: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { 'content-type': 'text/plain' },
      {},
    ];
    for (const headers of attempts) {
      const response = await fetch(path, {
        method: 'PUT',
        body: '{}',
        headers: { cookie, ...headers },
      });
      assert.equal(response.status, 403, JSON.stringify(headers));
    }
    assert.deepEqual(calls, []);
    const own = { cookie, 'sec-fetch-site': 'same-origin' };
    assert.equal((await fetch(path, { method: 'PUT', headers: own })).status, 204);
  });

  test('a bug behind a button is 500 with an id and no stack', async () => {
    const { jobId } = await lane.add();
    refuse = () => {
      throw new TypeError('a canary of the inside');
    };
    const response = await call('PUT', `/erp/${jobId}/promote`);
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.doesNotMatch(text, /canary|\.js:/);
    assert.match(text, /"id":"[0-9a-f-]{36}"/);
  });
});
