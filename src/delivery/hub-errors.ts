// How long an error of the hub's own is waited for. It says nothing of the message, so it never
// spends an attempt; but one that only this delivery meets must come to a person's eyes some day.

/**
 * After errors of the hub's own a delivery comes again after the first, doubled with each in a row.
 * No longer than the second: what held it up may be over any moment.
 */
const HUB_ERROR_MS_MIN = 2_000;
const HUB_ERROR_MS_MAX = 30_000;
/**
 * So many in a row, over at least 24 minutes in which the hub runs, before the horizon ends it: what
 * is old because the hub was away for days is not dead of the first trouble after that.
 */
export const HUB_ERRORS_MAX = 100;

/** `before`: errors in a row before this one. At least half of the wait, so that many spread. */
export function hubErrorMs(before: number, random: () => number = Math.random): number {
  const waitMs = Math.min(HUB_ERROR_MS_MAX, HUB_ERROR_MS_MIN * 2 ** Math.min(before, 10));
  return waitMs * (0.5 + 0.5 * random());
}
