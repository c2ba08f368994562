// What people are told of a delivery's state: what would go out, but for something that holds its
// lane, its flow or its operation, is held, and they are told by what.

import type { Gates, Pause, ShutLane } from '../journal/gates-port.ts';
import type { DeliveryView } from '../journal/journal.ts';

/** Why nothing begins, by `connector:<id>`, `flow:<id>` and `operation:<connector>.<operation>`. */
export type ShutGates = ReadonlyMap<string, string>;

type Shown = Pick<DeliveryView, 'connector' | 'flow' | 'operation' | 'state'> &
  Partial<Pick<DeliveryView, 'code' | 'reason' | 'heldBy'>>;

/** The delivery as people are told of it; the journal's own state stays what it is. */
export function asShown<T extends Shown>(delivery: T, shut: ShutGates): T {
  const { state, heldBy } = delivery;
  if (state !== 'pending' && state !== 'retrying' && state !== 'held') return delivery;
  const { connector, flow, operation } = delivery;
  const keys = [`connector:${connector}`, `flow:${flow}`, `operation:${connector}.${operation}`];
  // What the journal holds it for comes first; an order or a link is told by the journal itself.
  const key = state === 'held' ? heldBy : keys.find((one) => shut.has(one));
  const reason = key === undefined ? undefined : shut.get(key);
  if (reason === undefined) return delivery;
  const { code: _, ...rest } = delivery;
  return { ...rest, state: 'held', reason } as T;
}

export async function findShutGates(
  gates: Pick<Gates, 'listShutLanes' | 'listPauses'>,
): Promise<ShutGates> {
  const [lanes, pauses] = await Promise.all([gates.listShutLanes(), gates.listPauses()]);
  return new Map([
    ...pauses.map((pause): [string, string] => [`${pause.scope}:${pause.name}`, gateWords(pause)]),
    ...lanes.map((lane): [string, string] => [`connector:${lane.connector}`, shutWords(lane)]),
  ]);
}

/** One sentence of why a lane begins nothing, such as `lane paused by cli: maintenance`. */
export function shutWords({ pause, breaker, rest }: ShutLane): string {
  if (pause !== undefined) return `lane ${pausedWords(pause)}`;
  if (breaker !== undefined) {
    return `lane held since ${timeWords(breaker.at)}, its target is away: ${breaker.reason}`;
  }
  const forSeconds = Math.ceil((rest?.forMs ?? 0) / 1_000);
  return `lane rests for ${forSeconds} s: ${rest?.reason ?? 'its target asked for it'}`;
}

/** How the reason begins of what waits for an operation that its target said is gone. */
export const DISABLED = 'operation disabled by the hub';

/** One sentence of why a flow or an operation is held. */
export function gateWords(pause: Pause): string {
  const { scope, by, at, reason } = pause;
  // The hub pauses nothing else.
  if (scope !== 'operation' || by !== 'hub') return `${scope} ${pausedWords(pause)}`;
  return `${DISABLED} since ${timeWords(at)}${reason === undefined ? '' : `: ${reason}`}`;
}

function pausedWords({ at, by, reason }: Pick<Pause, 'at' | 'by' | 'reason'>): string {
  const since = `paused by ${by} since ${timeWords(at)}`;
  return reason === undefined ? since : `${since}: ${reason}`;
}

/** `2026-11-22 09:30Z`. */
export function timeWords(time: Date): string {
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d+\.\d+Z/, 'Z');
}
