import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatcherLimits, createBatcher } from '../../src/journal/batcher.ts';
import { isCrossdockError } from '../../src/model/errors.ts';

const roomy: BatcherLimits = {
  itemsMax: 100,
  bytesMax: 1_000_000,
  batchesMax: 1,
  lingerMs: 0,
  waitingMax: 1_000,
  waitingBytesMax: 1_000_000,
  waitMsMax: 5_000,
};

function doubling(limits: Partial<BatcherLimits> = {}, run?: (items: readonly number[]) => void) {
  const batches: number[][] = [];
  const batcher = createBatcher<number, number>({
    name: 'double',
    limits: { ...roomy, ...limits },
    weigh: (item) => item,
    isItemFault: (error) => error instanceof RangeError,
    async run(items) {
      batches.push([...items]);
      await sleep(5);
      run?.(items);
      return items.map((item) => item * 2);
    },
  });
  return { batcher, batches };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('the batcher', () => {
  test('answers each item with its own answer', async () => {
    const { batcher } = doubling();
    const answers = await Promise.all(numbers(250).map((item) => batcher.add(item)));
    assert.deepEqual(
      answers,
      numbers(250).map((item) => item * 2),
    );
  });

  test('sends what arrives together in one batch, and what comes meanwhile in the next', async () => {
    const { batcher, batches } = doubling();
    const first = numbers(10).map((item) => batcher.add(item));
    await sleep(2);
    const second = numbers(20).map((item) => batcher.add(item));
    await Promise.all([...first, ...second]);
    assert.deepEqual(
      batches.map((batch) => batch.length),
      [10, 20],
    );
  });

  test('keeps within its limits of items and bytes', async () => {
    const byItems = doubling({ itemsMax: 4 });
    await Promise.all(numbers(10).map((item) => byItems.batcher.add(item)));
    assert.deepEqual(
      byItems.batches.map((batch) => batch.length),
      [4, 4, 2],
    );
    const byBytes = doubling({ bytesMax: 10 });
    await Promise.all([6, 4, 5, 50, 1].map((item) => byBytes.batcher.add(item)));
    assert.deepEqual(byBytes.batches, [[6, 4], [5], [50], [1]]);
  });

  test('refuses one item that is at fault and serves its neighbours', async () => {
    const { batcher } = doubling({}, (items) => {
      if (items.includes(13)) throw new RangeError('13 cannot be stored');
    });
    const settled = await Promise.allSettled(numbers(40).map((item) => batcher.add(item)));
    const refused = settled.flatMap((one, index) => (one.status === 'rejected' ? [index + 1] : []));
    assert.deepEqual(refused, [13]);
  });

  test('fails the whole batch, once, when no single item is at fault', async () => {
    let runs = 0;
    const { batcher } = doubling({}, () => {
      runs += 1;
      throw new Error('no connection');
    });
    const settled = await Promise.allSettled(numbers(40).map((item) => batcher.add(item)));
    assert.equal(settled.filter((one) => one.status === 'rejected').length, 40);
    assert.equal(runs, 1);
  });

  test('refuses more than may wait, at once', async () => {
    const { batcher } = doubling({ waitingMax: 3 });
    const settled = await Promise.allSettled(numbers(5).map((item) => batcher.add(item)));
    const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    assert.equal(errors.length, 2);
    assert.ok(errors.every((error) => isCrossdockError(error, 'overloaded')));
  });

  test('refuses what has waited too long, and nothing else', async () => {
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const batcher = createBatcher<number, number>({
      name: 'blocked',
      limits: { ...roomy, itemsMax: 1, waitMsMax: 300 },
      weigh: () => 1,
      isItemFault: () => false,
      async run(items) {
        if (items.includes(1)) await blocked;
        return items;
      },
    });
    const first = batcher.add(1);
    const second = batcher.add(2);
    await sleep(400);
    const third = batcher.add(3);
    release();
    assert.equal(await first, 1);
    await assert.rejects(second, (error: unknown) => isCrossdockError(error, 'overloaded'));
    assert.equal(await third, 3);
  });

  test('drains only when everything is answered', async () => {
    const { batcher, batches } = doubling({ itemsMax: 2 });
    const answers = numbers(6).map((item) => batcher.add(item));
    await batcher.drain();
    assert.equal(batches.length, 3);
    await Promise.all(answers);
    await batcher.drain();
  });

  test('drains also when the last in line were refused for their age', async () => {
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const batcher = createBatcher<number, number>({
      name: 'blocked',
      limits: { ...roomy, itemsMax: 1, waitMsMax: 50 },
      weigh: () => 1,
      isItemFault: () => false,
      async run(items) {
        await blocked;
        return items;
      },
    });
    const first = batcher.add(1);
    const refused = assert.rejects(batcher.add(2));
    await sleep(100);
    const drained = batcher.drain();
    release();
    await Promise.all([first, refused, drained]);
  });
});
