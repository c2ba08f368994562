// Files that nothing leads to, and files that nothing tests: warnings, never errors.

import type { Problem } from '../model/problem.ts';
import type { Neighbours } from './check-flows.ts';
import { fileProblem } from './fault.ts';
import type { FlowSketch } from './flow-file.ts';

interface Project {
  readonly flows: readonly FlowSketch[];
  readonly neighbours: Neighbours;
  /** Ids of mappings and of flows that have a test file. */
  readonly testedMappings: ReadonlySet<string>;
  readonly testedFlows: ReadonlySet<string>;
}

/** Connectors, mappings and schemas that no flow uses. A mapping's own test is no use of it. */
export function checkUnused({ flows, neighbours }: Project): readonly Problem[] {
  const { connectors, mappings, schemas } = neighbours;
  const called = flows.flatMap(({ from, to, emit }) => [
    from?.connector,
    to?.connector,
    emit?.source,
  ]);
  const files = [
    ...[...connectors.values()].filter(({ id, receives }) => !receives && !called.includes(id)),
    ...unusedOf(
      mappings,
      flows.map(({ map }) => map),
    ),
    ...unusedOf(
      schemas,
      flows.flatMap(({ input, output }) => [input, output]),
    ),
  ];
  return files.map(({ file }) =>
    fileProblem(file, 'unused-file', { message: 'no flow uses this file', severity: 'warning' }),
  );
}

/** Mappings and flows without a test beside them. */
export function checkUntested(project: Project): readonly Problem[] {
  const { flows, neighbours, testedFlows, testedMappings } = project;
  const untestedMappings = [...neighbours.mappings].filter(([id]) => !testedMappings.has(id));
  const untestedFlows = flows.filter(({ id }) => !testedFlows.has(id));
  const files = [
    ...untestedMappings.map(([, { file }]) => file),
    ...untestedFlows.map(({ content }) => content.file),
  ];
  return files.map((file) => {
    const hint = `add ${file.replace(/[.][a-z]+$/, '.test.yaml')}`;
    return fileProblem(file, 'untested', { message: 'has no test', hint, severity: 'warning' });
  });
}

/** Files in the folders of definitions that are none and that no test refers to. */
export function checkStrays(
  strays: readonly string[],
  references: ReadonlySet<string>,
): readonly Problem[] {
  return strays
    .filter((file) => !references.has(file))
    .map((file) => {
      const message = 'is no definition, and no test refers to it';
      const hint = 'move it into a sub-folder, or out of here';
      return fileProblem(file, 'unexpected-file', { message, hint, severity: 'warning' });
    });
}

function unusedOf<Item>(
  items: ReadonlyMap<string, Item>,
  names: readonly (string | undefined)[],
): readonly Item[] {
  return [...items].filter(([id]) => !names.includes(id)).map(([, item]) => item);
}
