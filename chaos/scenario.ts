import type { Ending, Expectations, Finding } from './checker.ts';
import type { Evidence } from './evidence.ts';
import { crmBodyOf, erpBodyOf, orderTopic, versionOf } from './orders.ts';
import type { Random } from './random.ts';
import type { LaneStore, Rig, RigWishes } from './rig.ts';
import type { ExpectedFlow, Story } from './stories.ts';

/** One fault, what the hub promises under it, and how it is made. */
export interface Scenario {
  /** The number of the fault, such as `F4`. */
  readonly id: string;
  /** Where one fault is tried in several ways: which one this is. */
  readonly variant?: string;
  /** What breaks. */
  readonly title: string;
  /** What the hub promises, in a sentence. */
  readonly promise: string;
  readonly lanes: readonly LaneStore[];
  /** Part of `--quick`; `only`: it stands there for a larger one of the whole set. */
  readonly quick?: true | 'only';
  /** The seed makes no difference to it, so one run is enough however many seeds there are. */
  readonly once?: true;
  /** What breaks is no part of the lanes: on the second store it is tried with the first seed only. */
  readonly lanesAside?: true;
  /** Takes over a minute, so it begins before the others and nobody waits for it at the end. */
  readonly slow?: true;
  /** Compares times, so nothing else may run beside it. */
  readonly alone?: true;
  /** May come at any moment of `--soak`: it needs nothing prepared and leaves nothing behind. */
  readonly soak?: true;
  /** Why it cannot run on this machine, where it cannot. */
  readonly skipReason?: () => Promise<string | undefined>;
  readonly rig?: RigWishes;
  readonly expect?: Partial<Expectations>;
  readonly load?: Partial<Load>;
  /** Runs before the load, on a rig that is ready. */
  prepare?(rig: Rig, random: Random): Promise<void>;
  /** Makes the fault and ends it; the load goes on meanwhile. */
  fault(rig: Rig, random: Random): Promise<void>;
  /** What it measured beyond the usual figures, by name: it is told, and not judged. */
  measured?(rig: Rig): Readonly<Record<string, string>>;
  /** What this scenario promises beyond the invariants. */
  check?(rig: Rig, evidence: Evidence): Promise<readonly Finding[]> | readonly Finding[];
}

export interface Load {
  readonly ratePerSecond: number;
  readonly keys: number;
  /** Without a fault, after the warm-up. */
  readonly idleMs: number;
  /** After the fault. */
  readonly afterMs: number;
  /**
   * Messages during the fault; past it one comes where ten would. A fault lasts longer where
   * processes take long to start, and its backlog is not to measure that.
   */
  readonly faultMessagesMax: number;
}

export const usualLoad: Load = {
  ratePerSecond: 20,
  keys: 24,
  idleMs: 1_000,
  afterMs: 1_500,
  faultMessagesMax: 450,
};

/** For faults of a target or a payload: which process meets them makes no difference. */
export const oneDelivery: RigWishes = { deliveries: 1 };

export const RECOVERY_MS_MAX = 60_000;

export const usualFlows: readonly ExpectedFlow[] = [
  {
    flow: 'order-to-erp',
    topic: orderTopic,
    target: 'erp',
    body: ({ body }, document) => erpBodyOf(body, versionOf(document)),
  },
  { flow: 'order-to-crm', topic: orderTopic, target: 'crm', body: ({ body }) => crmBodyOf(body) },
];

export function expectationsOf({ expect }: Scenario): Expectations {
  return { flows: usualFlows, recoveryMsMax: RECOVERY_MS_MAX, ...expect };
}

/** For flows that end otherwise than delivered. */
export function endingsByFlow(
  endings: Readonly<Record<string, readonly Ending[]>>,
): (story: Story) => readonly Ending[] {
  return ({ expected }) => endings[expected.flow] ?? [{ state: 'delivered' }];
}

/** `F5 (appendfsync always)` */
export function nameOf({ id, variant }: Pick<Scenario, 'id' | 'variant'>): string {
  return variant === undefined ? id : `${id} (${variant})`;
}
