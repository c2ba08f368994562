// Loads a project folder: every file read once, everything checked, all mistakes at once.

import { resolve } from 'node:path';
import type { Expression, Program, SchemaText } from '../model/flow-revision.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import { formatProblem, type Problem } from '../model/problem.ts';
import { readCatalogue } from './catalogue.ts';
import { connectorShapes } from './check-connector.ts';
import { checkFlows, type Neighbours } from './check-flows.ts';
import { createShapeChecker, type ShapeChecker } from './check-shape.ts';
import { type ConnectorReading, readConnector } from './connector-file.ts';
import type { Definitions, FlowDefinition, KindSchema } from './definitions.ts';
import { fileProblem } from './fault.ts';
import { type FlowSketch, readFlow } from './flow-file.ts';
import { environmentLookup } from './interpolate.ts';
import { type FolderContent, readFolder, type SourceText } from './read-folder.ts';
import { withHash } from './revision-hash.ts';
import { createSchemaReader } from './schema-file.ts';
import { checkTestFile, type TestReading } from './test-files.ts';
import { checkStrays, checkUntested, checkUnused } from './unused-files.ts';

/** A problem of an expression, in the coordinates of its file. */
export type ExpressionProblem = Omit<Problem, 'file'>;

export interface LoadOptions {
  /** The project folder. */
  readonly folder: string;
  /** The folder of the catalogue's entries. */
  readonly catalogFolder: string;
  readonly kinds: readonly KindSchema[];
  /** What `${NAME}` stands for; an empty variable counts as one that is not set. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Checks the syntax of an expression. @default expressions are not checked */
  readonly checkExpression?: (expression: Expression) => readonly ExpressionProblem[];
}

export interface LoadResult {
  /** Absent where there is a problem of severity `error`. */
  readonly definitions?: Definitions;
  /** In the order of files, lines and columns. */
  readonly problems: readonly Problem[];
}

interface Folders {
  readonly connectors: FolderContent;
  readonly flows: FolderContent;
  readonly mappings: FolderContent;
  readonly schemas: FolderContent;
}

/**
 * Reads connectors/, flows/, mappings/, schemas/ and the tests beside them. Resolves with what it
 * found, mistakes included; rejects only on a bug.
 */
export async function loadDefinitions(options: LoadOptions): Promise<LoadResult> {
  const folder = resolve(options.folder);
  const folders = await readFolders(folder);
  const checkShape = createShapeChecker();
  const lookup = environmentLookup(options.environment);
  const catalogue = await readCatalogue(folder, resolve(options.catalogFolder));
  const shapes = connectorShapes(options.kinds);
  const context = { shapes, catalogue, lookup, checkShape };
  const connectors = folders.connectors.files.map((source) => readConnector(source, context));
  const flows = only(folders.flows, '.yaml').map((source) => readFlow(source, context));
  const readSchema = createSchemaReader();
  const schemas = folders.schemas.files.map(readSchema);
  const sketches = flows.flatMap(({ sketch }) => sketch ?? []);
  const neighbours: Neighbours = {
    connectors: new Map(connectors.map(({ outline }) => [outline.id, outline])),
    mappings: new Map(only(folders.mappings, '.jsonata').map((one) => [one.id, mappingOf(one)])),
    schemas: new Map(schemas.map(({ schema }) => [idOf(schema), schema])),
  };
  const tests = await checkTests({ folder, folders, sketches, neighbours, checkShape });
  const problems = tidy([
    ...Object.values(folders).flatMap(({ problems }) => problems),
    ...catalogue.problems,
    ...[...connectors, ...flows, ...schemas, ...tests.readings].flatMap(({ problems }) => problems),
    ...checkExpressions(expressionsOf(connectors, sketches, neighbours), options),
    ...checkFlows(sketches, neighbours),
    ...checkUnused({ ...tests, flows: sketches, neighbours }),
    ...checkUntested({ ...tests, flows: sketches, neighbours }),
    ...checkStrays(straysOf(folders), tests.references),
    ...checkReserved(folders),
    ...checkPresence(folders),
  ]);
  if (problems.some(({ severity }) => severity === 'error')) return { problems };
  return { definitions: build(folder, { connectors, sketches, neighbours }), problems };
}

async function readFolders(project: string): Promise<Folders> {
  const [connectors, flows, mappings, schemas] = await Promise.all([
    readFolder({ project, name: 'connectors', extensions: ['.yaml'] }),
    readFolder({ project, name: 'flows', extensions: ['.test.yaml', '.yaml'] }),
    readFolder({ project, name: 'mappings', extensions: ['.test.yaml', '.jsonata'] }),
    readFolder({ project, name: 'schemas', extensions: ['.json'] }),
  ]);
  return { connectors, flows, mappings, schemas };
}

function only({ files }: FolderContent, extension: string): readonly SourceText[] {
  return files.filter((source) => source.extension === extension);
}

function mappingOf({ file, text }: SourceText): Expression {
  return { source: text, file, line: 1, column: 1 };
}

function idOf({ file }: SchemaText): string {
  return file.replace(/^schemas\/|[.]json$/g, '');
}

interface Tests {
  readonly readings: readonly TestReading[];
  readonly references: ReadonlySet<string>;
  readonly testedMappings: ReadonlySet<string>;
  readonly testedFlows: ReadonlySet<string>;
}

async function checkTests(project: {
  readonly folder: string;
  readonly folders: Folders;
  readonly sketches: readonly FlowSketch[];
  readonly neighbours: Neighbours;
  readonly checkShape: ShapeChecker;
}): Promise<Tests> {
  const { folder, folders, neighbours, checkShape } = project;
  const mappingTests = only(folders.mappings, '.test.yaml');
  const flowTests = only(folders.flows, '.test.yaml');
  const { connectors, mappings } = neighbours;
  const context = { folder, connectors, checkShape };
  const flowIds = new Set(only(folders.flows, '.yaml').map(({ id }) => id));
  const readings: TestReading[] = [];
  for (const source of mappingTests) {
    readings.push(await checkTestFile(source, { ...context, subjects: new Set(mappings.keys()) }));
  }
  for (const source of flowTests) {
    readings.push(await checkTestFile(source, { ...context, subjects: flowIds }));
  }
  return {
    readings,
    references: new Set(readings.flatMap(({ references }) => references)),
    testedMappings: new Set(mappingTests.map(({ id }) => id)),
    testedFlows: new Set(flowTests.map(({ id }) => id)),
  };
}

function expressionsOf(
  connectors: readonly ConnectorReading[],
  flows: readonly FlowSketch[],
  { mappings }: Neighbours,
): readonly Expression[] {
  return [
    ...mappings.values(),
    ...connectors.flatMap(({ expressions }) => expressions),
    ...flows.flatMap(({ when }) => when ?? []),
    ...flows.flatMap(({ outcomes }) => outcomes.flatMap(({ when }) => when ?? [])),
  ];
}

function checkExpressions(
  expressions: readonly Expression[],
  { checkExpression }: LoadOptions,
): readonly Problem[] {
  if (checkExpression === undefined) return [];
  return expressions.flatMap((expression) =>
    checkExpression(expression).map((problem) => ({ ...problem, file: expression.file })),
  );
}

function straysOf(folders: Folders): readonly string[] {
  return Object.values(folders).flatMap(({ strays }: FolderContent) => strays);
}

function checkReserved({ connectors }: Folders): readonly Problem[] {
  return connectors.files
    .filter(({ id }) => id === HUB_SOURCE)
    .map(({ file }) => {
      const message = `a connector may not be called "${HUB_SOURCE}": events of the hub come from it`;
      return fileProblem(file, 'reserved-name', { message });
    });
}

function checkPresence({ connectors }: Folders): readonly Problem[] {
  if (connectors.files.length + connectors.problems.length > 0) return [];
  const message = 'there are no connectors here';
  return [fileProblem('connectors', 'no-definitions', { message, severity: 'warning' })];
}

/** Each problem once, in the order of files, lines and columns. */
function tidy(problems: readonly Problem[]): readonly Problem[] {
  const each = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...each.values()].sort(
    (a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

interface Loaded {
  readonly connectors: readonly ConnectorReading[];
  readonly sketches: readonly FlowSketch[];
  readonly neighbours: Neighbours;
}

function build(folder: string, { connectors, sketches, neighbours }: Loaded): Definitions {
  const definitions = connectors.flatMap(({ definition }) => definition ?? []);
  const flows = sketches.flatMap((sketch) => flowOf(sketch, neighbours) ?? []);
  return {
    folder,
    connectors: new Map(definitions.map((definition) => [definition.id, definition])),
    flows: new Map(flows.map((flow) => [flow.id, flow])),
  };
}

function flowOf(sketch: FlowSketch, neighbours: Neighbours): FlowDefinition | undefined {
  const { id, description, from, to, emit, retry, outcomes, order } = sketch;
  if (from === undefined || to === undefined) return undefined;
  return {
    id,
    from,
    revision: withHash({
      flow: id,
      connector: to.connector,
      operation: to.operation,
      program: programOf(sketch, neighbours),
      retry,
      ...(emit === undefined ? {} : { emit }),
      ...(outcomes.length === 0 ? {} : { outcomes }),
      ...(order === undefined ? {} : { order }),
    }),
    ...(description === undefined ? {} : { description }),
  };
}

function programOf(sketch: FlowSketch, { mappings, schemas }: Neighbours): Program {
  const { when } = sketch;
  const input = schemas.get(sketch.input ?? '');
  const map = mappings.get(sketch.map ?? '');
  const output = schemas.get(sketch.output ?? '');
  return {
    ...(input === undefined ? {} : { input }),
    ...(when === undefined ? {} : { when }),
    ...(map === undefined ? {} : { map }),
    ...(output === undefined ? {} : { output }),
  };
}
