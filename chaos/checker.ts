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
   * Works of one key beyond the first: none at all, or for each key as many as attempts the journal
   * calls ambiguous, and one for each of so many faults that can have hit a delivery under way.
   */
  readonly duplicates: 'none' | { readonly faults: number; readonly targets?: readonly string[] };
  /** The targets at which each key's sequence must be seen in its order. @default none */
  readonly orderedAt?: readonly string[];
  /** Attempts that may count against a flow's limit, at most. @default no limit */
  readonly spentMax?: number;
  /** The target whose lane the fault must not slow down. */
  readonly neighbour?: string;
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
