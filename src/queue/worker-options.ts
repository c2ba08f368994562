import { laneOptions } from './lane-backend.ts';
import type { LaneLimits } from './lanes.ts';

/** The worker's options that every backend shares. */
export function workerOptions(limits: LaneLimits) {
  const { rate, concurrency } = limits;
  return {
    ...laneOptions.worker,
    concurrency,
    // What it is to keep to is looked up first.
    autorun: false,
    ...(rate === undefined ? {} : { limiter: { max: rate.count, duration: rate.perMs } }),
  };
}
