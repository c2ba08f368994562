// One file of connectors/: read, put over its catalogue entry, checked, and made a definition.

import type { Expression } from '../model/flow-revision.ts';
import type { JsonObject } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { parseDurationMs, parseRate } from '../model/units.ts';
import { applyEntry, type Catalogue } from './catalogue.ts';
import { type CheckedConnector, type ConnectorShapes, checkConnector } from './check-connector.ts';
import type { ShapeChecker } from './check-shape.ts';
import { type Content, checkRoot, isObject } from './content.ts';
import type { ConnectorDefinition, KindSchema, OperationDefinition } from './definitions.ts';
import type { Lookup } from './interpolate.ts';
import type { SourceText } from './read-folder.ts';
import { parseReceive } from './receive-part.ts';
import { collectSecrets, secretVariables } from './secrets.ts';
import { parseYamlFile } from './yaml-file.ts';

const CONCURRENCY_DEFAULT = 8;
const TIMEOUT_MS_DEFAULT = 20_000;

export interface ConnectorContext {
  readonly kinds: readonly KindSchema[];
  readonly shapes: ConnectorShapes;
  readonly catalogue: Catalogue;
  readonly lookup: Lookup;
  readonly checkShape: ShapeChecker;
}

/** What flows may say about a connector; known also where its file has mistakes. */
export interface ConnectorOutline {
  readonly id: string;
  readonly file: string;
  readonly receives: boolean;
  /** The only topic that it receives, where that is fixed. */
  readonly fixedTopic?: string;
  /** Absent where the file cannot be read, so that nothing is said about its operations. */
  readonly operations?: readonly string[];
}

export interface ConnectorReading {
  readonly outline: ConnectorOutline;
  /** Absent where there are errors. */
  readonly definition?: ConnectorDefinition;
  readonly expressions: readonly Expression[];
  readonly problems: readonly Problem[];
}

/** Reads one connector file; its mistakes are values, all at once. */
export function readConnector(source: SourceText, context: ConnectorContext): ConnectorReading {
  const { yaml, problems } = parseYamlFile(source, {
    lookup: context.lookup,
    isExpression: ([top, , field, ...deeper]) =>
      top === 'operations' && field === 'result' && deeper.length === 0,
  });
  const wrongRoot = yaml === undefined ? [] : checkRoot(yaml);
  if (yaml === undefined || wrongRoot.length > 0) {
    return unreadable(source, [...problems, ...wrongRoot]);
  }
  const use = applyEntry(yaml, context);
  if (use.content === undefined) return unreadable(source, [...problems, ...use.problems]);
  const checked = checkConnector(use.content, context.shapes, context.checkShape);
  const all = [...problems, ...use.problems, ...use.content.problems(checked.faults)];
  const results = resultsOf(use.content);
  const secrets = collectSecrets(checked.value, checked.secretPatterns, [
    ...use.secrets,
    ...secretVariables(yaml.variables),
  ]);
  const hasError = all.some(({ severity }) => severity === 'error');
  return {
    outline: outlineOf(source, checked.value),
    expressions: [...results.values()],
    problems: all,
    ...(hasError ? {} : { definition: build(source.id, { checked, results, secrets }) }),
  };
}

function unreadable(source: SourceText, problems: readonly Problem[]): ConnectorReading {
  const outline = { id: source.id, file: source.file, receives: true };
  return { outline, expressions: [], problems };
}

function outlineOf(source: SourceText, value: JsonObject): ConnectorOutline {
  const { receive, operations } = value;
  const topic = isObject(receive) ? receive['topic'] : undefined;
  const fixedTopic = isObject(topic) ? topic['is'] : undefined;
  return {
    id: source.id,
    file: source.file,
    receives: receive !== undefined,
    operations: isObject(operations) ? Object.keys(operations) : [],
    ...(typeof fixedTopic === 'string' ? { fixedTopic } : {}),
  };
}

/** The `result` expressions by the name of their operation. */
function resultsOf(content: Content): ReadonlyMap<string, Expression> {
  const operations = content.value['operations'];
  const results = new Map<string, Expression>();
  for (const [name, operation] of Object.entries(isObject(operations) ? operations : {})) {
    const result = isObject(operation) ? operation['result'] : undefined;
    if (typeof result !== 'string') continue;
    results.set(name, content.expressionAt(['operations', name, 'result'], result));
  }
  return results;
}

interface Parts {
  readonly checked: CheckedConnector;
  readonly results: ReadonlyMap<string, Expression>;
  readonly secrets: readonly string[];
}

/** The content is free of errors, so that its fields have their types. */
function build(id: string, { checked, results, secrets }: Parts): ConnectorDefinition {
  const { value, fields, operations } = checked;
  const { title, kind, receive, timeout, check } = value;
  const limits = isObject(value['limits']) ? value['limits'] : {};
  const rate = parseRate(String(limits['rate']));
  const fairBy = limits['fairBy'];
  return {
    id,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(isObject(receive) ? { receive: parseReceive(receive) } : {}),
    fields,
    operations: new Map(
      [...operations].map(([name, own]) => [name, operation(name, own, results.get(name))]),
    ),
    limits: {
      concurrency: Number(limits['concurrency'] ?? CONCURRENCY_DEFAULT),
      ...(rate === undefined ? {} : { rate }),
      ...(typeof fairBy === 'string' ? { fairBy } : {}),
    },
    ...(typeof check === 'string' ? { check } : {}),
    timeoutMs: parseDurationMs(String(timeout)) ?? TIMEOUT_MS_DEFAULT,
    secrets,
  };
}

function operation(
  name: string,
  fields: JsonObject,
  result: Expression | undefined,
): OperationDefinition {
  return { name, fields, ...(result === undefined ? {} : { result }) };
}
