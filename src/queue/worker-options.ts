import { laneOptions } from './lane-backend.ts';
import type { LaneLimits } from './lanes.ts';

/** The worker's options that every backend shares. */
export function workerOptions(limits: LaneLimits) {
  const { rate, concurrency } = limits;
  return {
    ...laneOptions.worker,
    concurrency,
    ...(rate === undefined ? {} : { limiter: { max: rate.count, duration: rate.perMs } }),
  };
}
