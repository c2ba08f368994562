// Every word that the hub shows and `crossdock explain` knows, gathered from the tables of the code.

import { problemCodes } from '../definitions/problem-codes.ts';
import { deliveryStates } from '../model/delivery.ts';
import { errorExplanations } from '../model/error-explanations.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import {
  classRules,
  type OutcomeClass,
  outcomeCodes,
  outcomeRules,
  ruleTexts,
} from '../model/outcome-rules.ts';
import { stateExplanations } from '../model/state-explanations.ts';
import {
  classTexts,
  holdExplanations,
  problemStateTexts,
  topicTexts,
  type WordExplanation,
} from '../model/word-explanations.ts';
import { adviceFor } from './exit-codes.ts';

/** A word that people meet, and what is known of it. */
export interface Explained {
  readonly code: string;
  readonly family: Family;
  readonly title?: string;
  readonly meaning: string;
  readonly todo?: string;
  readonly class?: string;
  readonly rule?: string;
  readonly ruleMeaning?: string;
  /** Of a class, its codes; of a rule, its classes. */
  readonly has?: readonly string[];
  readonly comesAgain?: string;
  /** With which status a command ends that meets it. */
  readonly exit?: number;
}

/** In the order in which they are listed: what one of it is called, and all of them. */
export const families = {
  state: ['a state of a delivery', 'states of a delivery'],
  hold: ['how a lane is, or what holds a delivery', 'what holds a lane or a delivery'],
  outcome: ['an outcome of an attempt', 'outcomes of attempts'],
  class: ['a class of outcomes', 'classes of outcomes'],
  rule: ['a rule of outcomes', 'rules: what becomes of the delivery'],
  'problem-state': ['a state of a problem', 'states of a problem'],
  topic: ["a topic of the hub's own events", "topics of the hub's own events (alerts)"],
  error: ['an error of the hub', 'errors of the hub'],
  problem: ['a problem of a file', 'problems of files'],
} as const;

export type Family = keyof typeof families;

export function explainable(): readonly Explained[] {
  return [
    ...states(),
    ...words('hold', holdExplanations),
    ...outcomeCodes.map(outcome),
    ...(Object.keys(classRules) as OutcomeClass[]).map(outcomeClass),
    ...rules(),
    ...words('problem-state', meanings(problemStateTexts)),
    ...words('topic', meanings(topicTexts)),
    ...errors(),
    ...words('problem', problemCodes),
  ];
}

function states(): readonly Explained[] {
  return deliveryStates.map((code) => {
    const { meaning, comesAgain } = stateExplanations[code];
    return { code, family: 'state', meaning, ...(comesAgain === '' ? {} : { comesAgain }) };
  });
}

function outcome(code: OutcomeCode): Explained {
  const { holdsOperation: _, ...entry } = outcomeRules[code];
  const rule = classRules[entry.class];
  return { code, family: 'outcome', ...entry, rule, ruleMeaning: ruleTexts[rule] };
}

function outcomeClass(code: OutcomeClass): Explained {
  const rule = classRules[code];
  const has = outcomeCodes.filter((one) => outcomeRules[one].class === code);
  const meaning = classTexts[code];
  return { code, family: 'class', meaning, rule, ruleMeaning: ruleTexts[rule], has };
}

function rules(): readonly Explained[] {
  return Object.entries(ruleTexts).map(([code, meaning]) => {
    const has = Object.entries(classRules).flatMap(([name, rule]) => (rule === code ? [name] : []));
    return { code, family: 'rule', meaning, has };
  });
}

function errors(): readonly Explained[] {
  return Object.entries(errorExplanations).map(([code, entry]) => ({
    code,
    family: 'error',
    ...entry,
    exit: adviceFor(code as ErrorCode).exit,
  }));
}

function words(
  family: Family,
  all: Readonly<Record<string, WordExplanation>>,
): readonly Explained[] {
  return Object.entries(all).map(([code, { meaning, todo }]) => ({
    code,
    family,
    meaning,
    ...(todo === undefined ? {} : { todo }),
  }));
}

function meanings(texts: Readonly<Record<string, string>>): Record<string, WordExplanation> {
  return Object.fromEntries(Object.entries(texts).map(([code, meaning]) => [code, { meaning }]));
}
