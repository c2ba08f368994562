// The look at the gates: about once a second, when a rest ends, and whenever somebody changed one
// here. What differs from the look before is applied to the lanes.

import type { Gates, ShutLane } from '../journal/gates-port.ts';
import type { Log } from '../model/log.ts';

const LOOK_EVERY_MS = 1_000;
/** Past the end of a rest by the journal's clock. */
const REST_MARGIN_MS = 5;

export interface Look {
  /** Looks now; a caller that comes during a look gets a later one. Never rejects. */
  now(): Promise<void>;
  /**
   * Whether the lane may begin work. By the last look where that said so; where it is shut, or was
   * never looked at, by one of now.
   */
  isOpen(lane: string): Promise<boolean>;
  /** As of the last look. */
  gateOf(lane: string): ShutLane | undefined;
  /** So that what was closed here is not closed again before the next look. */
  forgetBreaker(lane: string): void;
  close(): Promise<void>;
}

export function createLook(ports: {
  readonly gates: Pick<Gates, 'listShutLanes'>;
  readonly log: Log;
  /** The lanes of this process. */
  lanes(): Iterable<string>;
  apply(lane: string, shut: boolean): Promise<void>;
  /** Told of every shut lane at each look. */
  onShut(shut: ShutLane): void;
}): Look {
  const { gates, log } = ports;
  /** Absent until the first look has worked. */
  let shut: ReadonlyMap<string, ShutLane> | undefined;
  const applied = new Map<string, boolean>();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function turn(): Promise<void> {
    clearTimeout(timer);
    try {
      shut = new Map((await gates.listShutLanes()).map((one) => [one.connector, one]));
      await Promise.all([...ports.lanes()].map(bring));
      if (!closed) shut.forEach(ports.onShut);
    } catch (error) {
      log.debug({ err: error }, 'the gates could not be read; the next look will tell');
    }
    if (!closed) schedule();
  }

  async function bring(lane: string): Promise<void> {
    const wanted = shut?.has(lane) === true;
    if (applied.get(lane) === wanted) return;
    try {
      await ports.apply(lane, wanted);
      applied.set(lane, wanted);
    } catch (error) {
      applied.delete(lane);
      log.debug({ err: error, lane }, 'the lane does not follow its gate yet');
    }
  }

  function schedule(): void {
    clearTimeout(timer);
    // Spread, so that many processes do not look together.
    const waitMs = LOOK_EVERY_MS * (0.8 + 0.4 * Math.random());
    const ends = [...(shut?.values() ?? [])].flatMap(({ rest }) => rest?.forMs ?? []);
    const soonestMs = Math.min(waitMs, ...ends.map((ms) => ms + REST_MARGIN_MS));
    timer = setTimeout(() => void now(), soonestMs);
    timer.unref();
  }

  function now(): Promise<void> {
    if (closed) return Promise.resolve();
    if (running === undefined) {
      running = turn().finally(() => {
        running = undefined;
      });
      return running;
    }
    // What changed while a look was under way may have been missed by it.
    next ??= running.then(() => {
      next = undefined;
      return now();
    });
    return next;
  }

  // By then the lanes of this process are known.
  timer = setTimeout(() => void now(), 0);
  return {
    now,
    async isOpen(lane) {
      if (shut?.has(lane) === false) return true;
      // The lane was resumed since, or its store forgot the pause: then it is told again.
      applied.delete(lane);
      await now();
      return shut?.has(lane) === false;
    },
    gateOf: (lane) => shut?.get(lane),
    forgetBreaker(lane) {
      const known = shut?.get(lane);
      if (shut === undefined || known === undefined) return;
      const { breaker: _, ...rest } = known;
      shut = new Map(shut).set(lane, rest);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
