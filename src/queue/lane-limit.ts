// A lane's concurrency over all processes. Each worker keeps to it by itself; the store has to keep
// it where more than one works the lane, and not otherwise, since that makes it hand out each job
// alone.
//
// A worker is known to the store before it takes its first job, and looks then whether others are: of
// two that start together the later one sees both. The limit is taken back only after two looks in a
// row that find one worker, as a worker that loses its connection is away for a moment.

import type { LaneBackend, LaneQueue } from './lane-backend.ts';

/** Looks in a row that find no other worker. */
const ALONE_LOOKS = 2;

export interface LaneLimit {
  /** Before the first job of a worker that the store knows. */
  join(): Promise<void>;
  /** Again and again, by one process at a time. */
  keep(): Promise<void>;
}

export function createLaneLimit(
  backend: Pick<LaneBackend, 'countWorkers'>,
  queue: LaneQueue,
  concurrency: number,
): LaneLimit {
  let alone = 0;
  const hasOthers = async (): Promise<boolean> => ((await backend.countWorkers(queue)) ?? 2) > 1;
  const join = async (): Promise<void> => {
    if (await hasOthers()) await queue.setGlobalConcurrency(concurrency);
  };
  return {
    join,
    async keep() {
      const [kept, needed] = await Promise.all([queue.getGlobalConcurrency(), hasOthers()]);
      alone = needed ? 0 : alone + 1;
      if (needed && kept !== concurrency) await queue.setGlobalConcurrency(concurrency);
      if (alone < ALONE_LOOKS || kept === null) return;
      await queue.removeGlobalConcurrency();
      // One may have joined just before.
      await join();
    },
  };
}
