// Finds the `.test.yaml` files of a project and runs their cases one after another.

import type { Definitions } from '../../definitions/definitions.ts';
import { readFolder, type SourceText } from '../../definitions/read-folder.ts';
import type { Mapper } from '../../mapping/mapper.ts';
import type { Expression } from '../../model/flow-revision.ts';
import { readFlowCases, readMappingCases } from './cases.ts';
import type { Difference } from './compare.ts';
import { type FlowPorts, runFlowCase } from './run-flow-case.ts';
import { runMappingCase } from './run-mapping-case.ts';
import { startStandInServer } from './stand-in-server.ts';

export interface CaseResult {
  /** Relative to the project folder. */
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** Empty where the case passed. */
  readonly differences: readonly Difference[];
  readonly durationMs: number;
}

export interface TestRun {
  readonly definitions: Definitions;
  readonly mapper: Mapper;
  /** Only cases whose file or name contains this text; case does not matter. */
  readonly filter?: string;
}

/** One case that can be run. */
interface Runnable {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  run(): Promise<readonly Difference[]>;
}

export async function* runTests(run: TestRun): AsyncGenerator<CaseResult> {
  const server = await startStandInServer();
  try {
    const ports = { definitions: run.definitions, mapper: run.mapper, server };
    const cases = [...(await mappingTests(ports)), ...(await flowTests(ports))];
    const wanted = run.filter?.toLowerCase() ?? '';
    for (const { run: runCase, ...about } of cases) {
      if (!`${about.file} ${about.name}`.toLowerCase().includes(wanted)) continue;
      const startedMs = performance.now();
      const differences = await settle(runCase);
      const durationMs = Math.round(performance.now() - startedMs);
      yield { ...about, differences, durationMs };
    }
  } finally {
    await server.close();
  }
}

/** A case that cannot be run has failed; the others go on. */
async function settle(runCase: Runnable['run']): Promise<readonly Difference[]> {
  try {
    return await runCase();
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    return [{ path: '', expected: 'a case that can be run', received }];
  }
}

async function mappingTests(ports: FlowPorts): Promise<readonly Runnable[]> {
  const { folder } = ports.definitions;
  const content = await readFolder({
    project: folder,
    name: 'mappings',
    extensions: ['.test.yaml', '.jsonata'],
  });
  const mappings = new Map(
    content.files.filter(isMapping).map((source) => [source.id, expressionOf(source)]),
  );
  const runnables = content.files.filter(isTest).map(async (source) => {
    const map = mappings.get(source.id);
    if (map === undefined) throw orphanError(source);
    return (await readMappingCases(folder, source)).map((testCase) => ({
      file: source.file,
      line: testCase.line,
      name: testCase.name,
      run: () => runMappingCase(testCase, map, ports.mapper),
    }));
  });
  return (await Promise.all(runnables)).flat();
}

async function flowTests(ports: FlowPorts): Promise<readonly Runnable[]> {
  const { folder, flows } = ports.definitions;
  const extensions = ['.test.yaml', '.yaml'];
  const content = await readFolder({ project: folder, name: 'flows', extensions });
  const runnables = content.files.filter(isTest).map(async (source) => {
    const flow = flows.get(source.id);
    if (flow === undefined) throw orphanError(source);
    return (await readFlowCases(folder, source)).map((testCase) => ({
      file: source.file,
      line: testCase.line,
      name: testCase.name,
      run: () => runFlowCase(testCase, flow, ports),
    }));
  });
  return (await Promise.all(runnables)).flat();
}

/** The definitions were checked before, and there it is an error. */
function orphanError({ file }: SourceText): Error {
  return new Error(`${file} stands beside nothing of its name`);
}

function isTest({ extension }: SourceText): boolean {
  return extension === '.test.yaml';
}

function isMapping({ extension }: SourceText): boolean {
  return extension === '.jsonata';
}

function expressionOf({ file, text }: SourceText): Expression {
  return { source: text, file, line: 1, column: 1 };
}
