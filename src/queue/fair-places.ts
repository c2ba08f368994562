// Places in a lane that tenants share fairly: start-time fair queueing. Each job gets a place, and
// the lane takes the lowest first. A tenant's next job stands behind its last one, or at the head
// where it has none waiting: one that floods gets ever later places, another's next message the next.

export interface FairPlaces {
  /**
   * From where the head is looked for. What is tried again keeps its low place, and would make a long
   * lane look like one that was empty and has begun anew.
   */
  readonly from: number;
  /**
   * The place of a tenant's next job. `head` is the lowest place now taken at or behind `from`, or
   * where there is none the lowest of all; 0 where none is taken.
   */
  next(tenant: string, head: number): number;
}

/** Of BullMQ's priorities 1 to 2,097,151 the last is for what goes when nothing else waits. */
export const LOW_PLACE = 2_097_151;
/** A lane that has not been empty for so many turns is first come, first served, until it is. */
const PLACE_MAX = LOW_PLACE - 1;
/** Tenants whose last place is remembered; those beyond it begin at the head again. */
const TENANTS_MAX = 10_000;

export function createFairPlaces(): FairPlaces {
  const last = new Map<string, number>();
  /** The place of what goes out about now; rises with the head. */
  let current = 1;

  const forget = (): void => {
    for (const [tenant, place] of last) if (place < current) last.delete(tenant);
    if (last.size >= TENANTS_MAX) last.clear();
  };

  return {
    get from() {
      return Math.max(1, current - 1);
    },
    next(tenant, head) {
      const lowest = head >= LOW_PLACE ? 0 : head;
      // The lane was empty in between, and others began anew.
      if (lowest === 0 || lowest < current - 1) {
        last.clear();
        current = 1;
      }
      current = Math.max(current, lowest - 1);
      if (last.size >= TENANTS_MAX && !last.has(tenant)) forget();
      const place = Math.min(PLACE_MAX, Math.max(current, (last.get(tenant) ?? 0) + 1));
      last.set(tenant, place);
      return place;
    },
  };
}
