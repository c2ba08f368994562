// The gates of the lanes, in each process that delivers. A lane begins no work while a person holds
// it, while its breaker is open (breaker.ts), or while its target asked for a rest (rests.ts). All
// three are in the journal, and act by one means: the pause of the lane in its store.
//
// What an attempt means for its delivery is decided elsewhere (decide.ts); here only the lane is
// looked at.

import type { Gates, OpenBreaker } from '../journal/gates-port.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Lanes, LaneWork } from '../queue/lanes.ts';
import { setLanePaused } from './apply-gates.ts';
import type { LiveConnector } from './attempt.ts';
import { createBreaker, type ProbedLane } from './breaker.ts';
import type { Settled } from './deliver.ts';
import { answerOf } from './lane-answer.ts';
import { createLook } from './look-at-gates.ts';
import { createRests } from './rests.ts';

export interface LaneGatePorts {
  readonly gates: Gates;
  readonly lanes: Pick<Lanes, 'pause' | 'resume'>;
  /** By connector id. */
  readonly connectors: ReadonlyMap<string, LiveConnector>;
  readonly log: Log;
  /** Each is told once, in the process that made the change, and must not throw. */
  onOpened?(lane: string, why: Pick<OpenBreaker, 'at' | 'code' | 'reason'>): void;
  onClosed?(lane: string, was: OpenBreaker): void;
  /** `<connector>.<operation>`, which its target no longer has: the hub pauses it. */
  onDisabled?(operation: string, reason: string): void;
}

export interface LaneGates {
  /** One of `deliver`'s listeners. */
  onSettled(settled: Settled): Promise<void>;
  /** `work`, which begins nothing while the lane is shut, whatever its store remembers of that. */
  guard(lane: string, work: LaneWork): LaneWork;
  /** Counts nothing from now on, and ends the probes. */
  close(): Promise<void>;
}

/** A job that comes out of a lane that is shut goes back for this long. */
const SHUT_JOB_MS = 1_000;

export function createLaneGates(ports: LaneGatePorts): LaneGates {
  const { gates, log } = ports;
  const probed = new Map<string, ProbedLane>();
  const look = createLook({
    gates,
    log,
    apply: (lane, shut) => setLanePaused(ports.lanes, lane, shut),
    lanes: () => probed.keys(),
    onShut: (shut) => breaker.probe(shut),
  });
  const breaker = createBreaker({
    gates,
    look,
    log,
    laneOf: (lane) => probed.get(lane),
    onOpened: (lane, why) => ports.onOpened?.(lane, why),
    onClosed: (lane, was) => ports.onClosed?.(lane, was),
  });
  const rests = createRests({ gates, look });
  let closing = false;

  async function settle(lane: string, record: AttemptRecord): Promise<void> {
    switch (answerOf(record)) {
      case 'nothing':
        return;
      case 'away':
        return breaker.failed(lane, record, false);
      case 'closed':
        return breaker.failed(lane, record, true);
      case 'limited':
        await rests.limited(lane, record);
        return breaker.answered(lane);
      case 'there':
        // Its quota may be used up by this very call.
        if (record.restMs === undefined) rests.answered(lane);
        else await rests.limited(lane, record);
        return breaker.answered(lane);
    }
  }

  return {
    async onSettled({ lane, record }) {
      // Calls that are cut off because the hub leaves say nothing of their target.
      if (closing) return;
      try {
        await disableGone(ports, record);
        await settle(lane, record);
      } catch (error) {
        log.warn({ err: error, lane }, 'a gate was not changed; the next attempt will tell');
      }
    },
    guard(lane, work) {
      const live = ports.connectors.get(lane);
      if (live !== undefined) probed.set(lane, { live, work });
      return async (job, signal) =>
        (await look.isOpen(lane)) ? work(job, signal) : { kind: 'again', inMs: SHUT_JOB_MS };
    },
    async close() {
      closing = true;
      await Promise.all([look.close(), breaker.close()]);
    },
  };
}

const OPERATION = 'operation:';

/** An operation that its target no longer has holds its deliveries until a person has looked. */
async function disableGone(ports: LaneGatePorts, record: AttemptRecord): Promise<void> {
  if (record.state !== 'held' || record.heldBy?.startsWith(OPERATION) !== true) return;
  const name = record.heldBy.slice(OPERATION.length);
  const reason = record.reason ?? 'its target no longer has it';
  if (!(await ports.gates.pause({ scope: 'operation', name, by: 'hub', reason }))) return;
  ports.log.warn({ operation: name, reason }, 'operation disabled: its deliveries are held');
  ports.onDisabled?.(name, reason);
}
