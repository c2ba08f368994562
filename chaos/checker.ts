// The judge: reads the evidence of one run and says what broke which promise. It knows neither the
// fault nor the rig; what a scenario allows is in its expectations. Nothing here is configurable to
// let a lost event pass.

import type { Evidence } from './evidence.ts';
import { type Figures, measure } from './figures.ts';
import { bodyRules } from './rules-bodies.ts';
import { keepingRules } from './rules-keeping.ts';
import { timeRules } from './rules-times.ts';
import { type ExpectedFlow, type Story, tellStories } from './stories.ts';

export interface Ending {
  readonly state: string;
  readonly code?: string;
}

export interface Expectations {
  readonly flows: readonly ExpectedFlow[];
  /**
   * How a story may end; the delivery is in one of these states, with that code where one is named.
   * @default delivered
   */
  readonly endings?: (story: Story) => readonly Ending[];
  /**
   * How many faults can have hit a delivery under way: each allows one more work of its key, at
   * these targets or, where none are named, at all. An attempt that the journal calls ambiguous
   * always does: nobody knows whether the target worked on it.
   * @default none
   */
  readonly duplicates?: {
    readonly faults: number | ((story: Story) => number);
    readonly targets?: readonly string[];
  };
  /** The targets at which each key's sequence must be seen in its order. @default none */
  readonly orderedAt?: readonly string[];
  /** Attempts that may count against a flow's limit, ambiguous ones apart. @default no limit */
  readonly spentMax?: number;
  /** The target whose lane the fault must not slow down. */
  readonly neighbour?: string;
  /**
   * A p99 of the neighbour below this is no finding; more than the usual where the fault itself wants
   * every processor of a small machine.
   * @default NEIGHBOUR_FLOOR_MS
   */
  readonly neighbourFloorMs?: number;
  /** From the end of the fault until all is as before. */
  readonly recoveryMsMax: number;
  /** Whether messages may be left that nobody ever acknowledged. @default false */
  readonly unacknowledgedAllowed?: boolean;
}

/** One promise that was not kept. */
export interface Finding {
  readonly rule: string;
  readonly message: string;
  /** Of the first offenders: message, event or delivery ids. */
  readonly ids: readonly string[];
}

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly figures: Figures;
}

/** What a rule sees. */
export interface Case {
  readonly evidence: Evidence;
  readonly expectations: Expectations;
  readonly stories: readonly Story[];
  readonly figures: Figures;
}

export type Rule = (one: Case) => readonly Finding[];

const rules: readonly Rule[] = [...keepingRules, ...bodyRules, ...timeRules];

export function judge(evidence: Evidence, expectations: Expectations): Judgement {
  const stories = tellStories(evidence, expectations.flows);
  const figures = measure(evidence, expectations, stories);
  const one: Case = { evidence, expectations, stories, figures };
  return { findings: rules.flatMap((rule) => rule(one)), figures };
}
