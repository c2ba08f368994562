import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startClockGuard } from '../../src/delivery/clock-guard.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Clocks {
  /** How far the machine's clock is ahead; read by the guard and by the database's answer. */
  aheadMs: number;
  isDatabaseAway: boolean;
}

/** A guard on clocks that a test sets, and what it did to the lanes and said to people. */
async function guardOn(clocks: Clocks) {
  const done: string[] = [];
  const say = (_fields: object, message: string): void => {
    done.push(message);
  };
  const guard = await startClockGuard({
    journal: {
      ping: async () => {
        if (clocks.isDatabaseAway) throw new Error('away');
        return { clockAheadMs: clocks.aheadMs };
      },
    },
    lanes: { hold: (by) => done.push(`hold ${by}`), release: (by) => done.push(`release ${by}`) },
    meter: silentMeter,
    log: { debug: say, info: say, warn: say, error: say },
    wall: () => performance.now() + clocks.aheadMs,
    steady: () => performance.now(),
  });
  return { guard, done };
}

const wrong = "this machine's clock is wrong: no jobs are taken here";

test('a process that starts with a wrong clock holds its lanes before any worker is there', async () => {
  const { guard, done } = await guardOn({ aheadMs: -3_600_000, isDatabaseAway: false });
  assert.deepEqual(done, ['hold clock', wrong]);
  assert.deepEqual(guard.state(), { aheadMs: -3_600_000, isRight: false });
  await guard.close();
});

test('a few seconds are told once, and nothing is held', async () => {
  const { guard, done } = await guardOn({ aheadMs: 3_000, isDatabaseAway: false });
  assert.deepEqual(done, ["this machine's clock and the database's differ: check its NTP"]);
  assert.equal(guard.state().isRight, true);
  await guard.close();
});

test('a clock that jumps is noticed within seconds, also without the database, and so is its return', async () => {
  const clocks = { aheadMs: 0, isDatabaseAway: true };
  const { guard, done } = await guardOn(clocks);
  assert.equal(guard.state().isRight, true);
  clocks.aheadMs = 60_000;
  await waitUntil('it holds', () => (guard.state().isRight ? undefined : true));
  clocks.aheadMs = 500;
  await waitUntil('it lets go', () => (guard.state().isRight ? true : undefined));
  assert.deepEqual(
    done.filter((one) => /^(hold|release)/.test(one)),
    ['hold clock', 'release clock'],
  );
  await guard.close();
});
