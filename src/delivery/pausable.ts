import type { Definitions } from '../definitions/definitions.ts';
import type { PauseScope, PauseTarget } from '../journal/gates-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';

/** What the project's files have that can be paused, by scope. */
export type Pausable = Readonly<Record<PauseScope, readonly string[]>>;

export function pausableOf({ connectors, flows }: Definitions): Pausable {
  const called = [...connectors.values()].filter(({ operations }) => operations.size > 0);
  return {
    connector: called.map(({ id }) => id),
    flow: [...flows.keys()],
    operation: called.flatMap(({ id, operations }) =>
      [...operations.keys()].map((operation) => `${id}.${operation}`),
    ),
  };
}

const nouns: Readonly<Record<PauseScope, string>> = {
  connector: 'connector that can be called',
  flow: 'flow',
  operation: 'operation',
};

/** Rejects a name that no file has with `not-found`, and says which is near. */
export function requirePausable({ scope, name }: PauseTarget, pausable: Pausable): void {
  if (pausable[scope].includes(name)) return;
  const hint = didYouMeanOrKnown(name, pausable[scope]);
  const message = `there is no ${nouns[scope]} "${name}"`;
  throw new CrossdockError('not-found', hint === undefined ? message : `${message}; ${hint}`, {
    todo: 'Check the name; crossdock lanes lists the lanes.',
  });
}
