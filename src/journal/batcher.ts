// Many single requests, one statement: what arrives while a batch is under way travels in the next.
// Used for appends, claims and records. Bounded in items, bytes, waiting items and time; one bad
// item never fails its neighbours.

import { CrossdockError } from '../model/errors.ts';

export interface BatcherOptions<I, O> {
  /** For messages and metrics: `append`, `claim`, `record`. */
  readonly name: string;
  /** Writes or reads all items; resolves with one answer for each, in their order. */
  run(items: readonly I[]): Promise<readonly O[]>;
  /** Whether an error is the fault of a single item, so that the others may be tried without it. */
  isItemFault(error: unknown): boolean;
  /** Bytes an item weighs. */
  weigh(item: I): number;
  readonly limits: BatcherLimits;
  onBatch?(size: number): void;
}

export interface BatcherLimits {
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** Batches under way at once. */
  readonly batchesMax: number;
  /** How long the first item of a batch waits for company, in milliseconds. */
  readonly lingerMs: number;
  /** Items that may wait; one more is refused with `overloaded`. */
  readonly waitingMax: number;
  /** Bytes that may wait; more is refused with `overloaded`. */
  readonly waitingBytesMax: number;
  /** An item that has waited this long for its batch to start is refused, in milliseconds. */
  readonly waitMsMax: number;
}

export interface Batcher<I, O> {
  add(item: I): Promise<O>;
  /** Resolves when nothing waits and nothing is under way. */
  drain(): Promise<void>;
}

interface Entry<I, O> {
  readonly item: I;
  readonly bytes: number;
  readonly sinceMs: number;
  resolve(output: O): void;
  reject(error: unknown): void;
}

export function createBatcher<I, O>(options: BatcherOptions<I, O>): Batcher<I, O> {
  const { limits } = options;
  const line = createLine<I, O>(options.name, limits);
  let underWay = 0;
  let scheduled = false;
  let drained: (() => void)[] = [];

  const settle = async (batch: readonly Entry<I, O>[]): Promise<void> => {
    try {
      const outputs = await options.run(batch.map((entry) => entry.item));
      batch.forEach((entry, index) => {
        entry.resolve(outputs[index] as O);
      });
    } catch (error) {
      if (batch.length === 1 || !options.isItemFault(error)) {
        for (const entry of batch) entry.reject(error);
        return;
      }
      const middle = batch.length >> 1;
      await settle(batch.slice(0, middle));
      await settle(batch.slice(middle));
    }
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    if (limits.lingerMs > 0) setTimeout(start, limits.lingerMs);
    else setImmediate(start);
  };

  const start = (): void => {
    scheduled = false;
    while (underWay < limits.batchesMax && line.length() > 0) {
      const batch = line.take();
      if (batch.length === 0) continue;
      underWay += 1;
      options.onBatch?.(batch.length);
      void settle(batch).finally(() => {
        underWay -= 1;
        if (line.length() > 0) schedule();
        settleDrained();
      });
    }
    settleDrained();
  };

  const settleDrained = (): void => {
    if (underWay > 0 || line.length() > 0) return;
    for (const resolve of drained) resolve();
    drained = [];
  };

  return {
    add: (item) =>
      new Promise<O>((resolve, reject) => {
        const bytes = options.weigh(item);
        if (!line.join({ item, bytes, sinceMs: performance.now(), resolve, reject })) return;
        schedule();
      }),
    drain() {
      if (underWay === 0 && line.length() === 0) return Promise.resolve();
      return new Promise((resolve) => {
        drained.push(resolve);
      });
    },
  };
}

interface Line<I, O> {
  length(): number;
  /** `false` where the line is too long: the entry was refused. */
  join(entry: Entry<I, O>): boolean;
  /** The next batch; who has waited too long is refused on the way. */
  take(): Entry<I, O>[];
}

function createLine<I, O>(name: string, limits: BatcherLimits): Line<I, O> {
  let waiting: Entry<I, O>[] = [];
  let waitingBytes = 0;

  const refuse = (entry: Entry<I, O>, why: string): void =>
    entry.reject(new CrossdockError('overloaded', `journal ${name}: ${why}`));

  /** How many of the line's first entries fit into one batch; at least one. */
  const countNext = (): number => {
    let bytes = 0;
    for (let count = 0; count < limits.itemsMax; count += 1) {
      const entry = waiting[count];
      if (entry === undefined) return count;
      bytes += entry.bytes;
      if (bytes > limits.bytesMax) return Math.max(1, count);
    }
    return limits.itemsMax;
  };

  return {
    length: () => waiting.length,
    join(entry) {
      const tooMany = waiting.length >= limits.waitingMax;
      if (tooMany || waitingBytes + entry.bytes > limits.waitingBytesMax) {
        refuse(entry, `${waiting.length} requests of ${waitingBytes} bytes are waiting`);
        return false;
      }
      waiting.push(entry);
      waitingBytes += entry.bytes;
      return true;
    },
    take() {
      const count = countNext();
      const next = waiting.slice(0, count);
      waiting = waiting.slice(count);
      const oldestMs = performance.now() - limits.waitMsMax;
      return next.filter((entry) => {
        waitingBytes -= entry.bytes;
        if (entry.sinceMs >= oldestMs) return true;
        refuse(entry, `waited longer than ${limits.waitMsMax} ms`);
        return false;
      });
    },
  };
}
