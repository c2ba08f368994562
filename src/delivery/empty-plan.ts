// A replay of which nothing is found: a name or a code that was misspelt is a mistake, and said to
// be one; for anything else people are told what was looked for and what to widen.

import {
  type NamedInQuery,
  namedInQuery,
  type ReplayQuery,
  type Replays,
  replayableStates,
} from '../journal/replays-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import { outcomeCodes } from '../model/outcome-rules.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import type { ProjectNow } from './replay-again.ts';

/** Nothing fits the query, so that no plan was kept. */
export interface EmptyPlan {
  readonly query: ReplayQuery;
  /** What was looked for, and what to widen: sentences. */
  readonly nothing: string;
}

/** Rejects `usage` for a code that there is not. */
export function checkCode({ code }: ReplayQuery): void {
  if (code === undefined || outcomeCodes.some((one) => one === code)) return;
  throw new CrossdockError('usage', `there is no code "${code}"${hintOf(code, outcomeCodes)}`, {
    todo: 'crossdock explain lists the outcomes of attempts.',
  });
}

/** Rejects `usage` where a name is neither in the files nor in the journal. */
export async function describeEmptyPlan(parts: {
  readonly query: ReplayQuery;
  readonly leftOut: number;
  readonly replays: Pick<Replays, 'hasName'>;
  readonly now?: ProjectNow;
}): Promise<EmptyPlan> {
  const { query, leftOut, replays, now } = parts;
  if (leftOut > 0) return { query, nothing: `${leftOutWords(leftOut)} (${queryWords(query)}).` };
  const former: string[] = [];
  for (const what of namedInQuery) {
    const name = query[what];
    const known = now === undefined ? undefined : namesOf(now, what);
    if (name === undefined || known === undefined || known.includes(name)) continue;
    if (!(await replays.hasName(what, name))) throw unknownName(what, name, known);
    former.push(`No file has the ${nouns[what]} ${name} any more.`);
  }
  return {
    query,
    nothing: [`Nothing fits the query (${queryWords(query)}).`, ...former, widen(query)].join(' '),
  };
}

/** `state dead, connector erp`. */
export function queryWords(query: ReplayQuery): string {
  return Object.entries(query)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function leftOutWords(count: number): string {
  return (
    `Nothing to do: ${count} ${count === 1 ? 'fits' : 'fit'}, and of each another delivery of the ` +
    'same event and flow is newer, or under way'
  );
}

const nouns: Readonly<Record<NamedInQuery, string>> = {
  flow: 'flow',
  connector: 'connector',
  source: 'source of events',
};

function namesOf({ definitions }: ProjectNow, what: NamedInQuery): readonly string[] {
  if (what === 'flow') return [...definitions.flows.keys()];
  const connectors = [...definitions.connectors.keys()];
  return what === 'source' ? [...connectors, HUB_SOURCE] : connectors;
}

function unknownName(what: NamedInQuery, name: string, known: readonly string[]): CrossdockError {
  const message = `no file and no delivery has the ${nouns[what]} "${name}"${hintOf(name, known)}`;
  return new CrossdockError('usage', message, { todo: 'Check the name.' });
}

function hintOf(word: string, known: readonly string[]): string {
  const hint = didYouMeanOrKnown(word, known);
  return hint === undefined ? '' : `; ${hint}`;
}

function widen({ state, ...rest }: ReplayQuery): string {
  const others = replayableStates.filter((one) => one !== state).join(', ');
  const given = Object.keys(rest);
  const another = `another state than ${state} (${others})`;
  if (given.length === 0) return `To find more, choose ${another}.`;
  return `To find more, leave out or widen ${given.join(', ')}; or choose ${another}.`;
}
