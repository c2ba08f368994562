// The `.test.yaml` files beside mappings and flows: their shape, the files they refer to, and the
// names they use. Running them is for the CLI.

import { posix } from 'node:path';
import type { Json } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { checkOperation, checkSource, unknown } from './check-flows.ts';
import type { ShapeChecker } from './check-shape.ts';
import type { ConnectorOutline } from './connector-file.ts';
import { isObject } from './content.ts';
import { type Fault, fileProblem, type Path, toProblem } from './fault.ts';
import { readText, type SourceText } from './read-folder.ts';
import { flowTestSchema, mappingTestSchema } from './test-schemas.ts';
import { parseYamlFile, type YamlFile } from './yaml-file.ts';

export interface TestContext {
  /** Absolute path of the project folder. */
  readonly folder: string;
  readonly connectors: ReadonlyMap<string, ConnectorOutline>;
  /** Ids that may have a test: of the mappings, or of the flows. */
  readonly subjects: ReadonlySet<string>;
  readonly checkShape: ShapeChecker;
}

export interface TestReading {
  readonly problems: readonly Problem[];
  /** Files that the cases refer to, relative to the project folder. */
  readonly references: readonly string[];
}

/** Checks one test file of `mappings/` or `flows/`. */
export async function checkTestFile(
  source: SourceText,
  context: TestContext,
): Promise<TestReading> {
  const isFlow = source.file.startsWith('flows/');
  const orphan = context.subjects.has(source.id) ? [] : [orphanProblem(source, isFlow)];
  const { yaml, problems } = parseYamlFile(source);
  if (yaml === undefined) return { problems: [...orphan, ...problems], references: [] };
  const schema = isFlow ? flowTestSchema : mappingTestSchema;
  const faults = [...context.checkShape({ schema, value: yaml.value })];
  if (isFlow) faults.push(...checkNames(yaml.value, context.connectors));
  const references = referencesOf(yaml);
  for (const { path, file } of references) {
    const read = await readText(context.folder, file);
    if ('text' in read) continue;
    faults.push({ path, code: read.problem.code, message: `"${file}" ${read.problem.message}` });
  }
  return {
    problems: [...orphan, ...problems, ...faults.map((one) => problemOf(yaml, one))],
    references: references.map(({ file }) => file),
  };
}

function problemOf(yaml: YamlFile, one: Fault): Problem {
  return toProblem(yaml.file, yaml.position(one.path, one.target), one);
}

function orphanProblem(source: SourceText, isFlow: boolean): Problem {
  const subject = isFlow ? `flows/${source.id}.yaml` : `mappings/${source.id}.jsonata`;
  return fileProblem(source.file, 'orphan-test', { message: `there is no ${subject} to test` });
}

/** The files that cases name, from the folder of the test file to that of the project. */
function referencesOf(yaml: YamlFile): readonly { path: Path; file: string }[] {
  const folder = posix.dirname(yaml.file);
  return casesOf(yaml.value).flatMap((testCase, index) => {
    const named: [Path, Json | undefined][] = [
      [[index, 'inputFile'], fieldOf(testCase, 'inputFile')],
      [[index, 'outputFile'], fieldOf(testCase, 'outputFile')],
      [[index, 'webhook', 'bodyFile'], fieldOf(fieldOf(testCase, 'webhook'), 'bodyFile')],
    ];
    return named.flatMap(([path, name]) =>
      typeof name === 'string' ? [{ path, file: posix.join(folder, name) }] : [],
    );
  });
}

function checkNames(value: Json, connectors: TestContext['connectors']): readonly Fault[] {
  return casesOf(value).flatMap((testCase, index) => {
    const connector = fieldOf(fieldOf(testCase, 'webhook'), 'connector');
    const answers = fieldOf(testCase, 'answers');
    const requests = casesOf(fieldOf(fieldOf(testCase, 'expect'), 'requests'));
    const names = isObject(answers) ? Object.keys(answers) : [];
    return [
      ...(typeof connector === 'string'
        ? checkSource(connector, [index, 'webhook', 'connector'], connectors)
        : []),
      ...names.flatMap((name) =>
        checkTarget(name, [index, 'answers', name], connectors).map((one) => ({
          ...one,
          target: 'key' as const,
        })),
      ),
      ...requests.flatMap((request, at) =>
        checkTarget(fieldOf(request, 'to'), [index, 'expect', 'requests', at, 'to'], connectors),
      ),
    ];
  });
}

function checkConnector(
  name: string,
  path: Path,
  connectors: TestContext['connectors'],
): readonly Fault[] {
  if (connectors.has(name)) return [];
  return [unknown(name, path, { what: 'connector', known: connectors.keys() })];
}

/** `<connector>.<operation>`; a text of another form is reported by the schema. */
function checkTarget(
  target: Json | undefined,
  path: Path,
  connectors: TestContext['connectors'],
): readonly Fault[] {
  const [, connector, operation] = /^([^.]+)[.](.+)$/.exec(String(target)) ?? [];
  if (connector === undefined || operation === undefined) return [];
  return connectors.has(connector)
    ? checkOperation({ connector, operation }, path, connectors)
    : checkConnector(connector, path, connectors);
}

function casesOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
