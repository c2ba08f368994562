// One file of connectors/: read, put over its catalogue entry, checked, and made a definition.

import type { Expression } from '../model/flow-revision.ts';
import type { JsonObject } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { parseDurationMs, parseRate } from '../model/units.ts';
import { applyEntry, type Catalogue } from './catalogue.ts';
import { type CheckedConnector, type ConnectorShapes, checkConnector } from './check-connector.ts';
import type { ShapeChecker } from './check-shape.ts';
import { type Content, checkRoot, isObject } from './content.ts';
import type { ConnectorDefinition, OperationDefinition } from './definitions.ts';
import type { Lookup } from './interpolate.ts';
import { readLookup } from './lookup-part.ts';
import { readOutcomes } from './outcomes-part.ts';
import type { SourceText } from './read-folder.ts';
import { parseReceive } from './receive-part.ts';
import { collectSecrets, secretVariables } from './secrets.ts';
import { parseYamlFile } from './yaml-file.ts';

const CONCURRENCY_DEFAULT = 8;
const TIMEOUT_MS_DEFAULT = 20_000;

export interface ConnectorContext {
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
    isExpression: ([top, , ...field]) =>
      top === 'operations' && operationExpressions.includes(field.join('.')),
  });
  const wrongRoot = yaml === undefined ? [] : checkRoot(yaml);
  if (yaml === undefined || wrongRoot.length > 0) {
    return unreadable(source, [...problems, ...wrongRoot]);
  }
  const use = applyEntry(yaml, { ...context, entryShape: context.shapes.entry });
  if (use.content === undefined) return unreadable(source, [...problems, ...use.problems]);
  const checked = checkConnector(use.content, context.shapes, context.checkShape);
  const all = [...problems, ...use.problems, ...use.content.problems(checked.faults)];
  const parts = operationParts(use.content);
  const secrets = collectSecrets(checked.value, checked.secretPatterns, [
    ...use.secrets,
    ...secretVariables(yaml.variables),
  ]);
  const hasError = all.some(({ severity }) => severity === 'error');
  return {
    outline: outlineOf(source, checked.value),
    expressions: [...parts.values()].flatMap(expressionsIn),
    problems: all,
    ...(hasError ? {} : { definition: build(source.id, { checked, parts, secrets }) }),
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

const operationExpressions = ['result', 'outcomes.when', 'lookup.found'];

/** What every operation has, whatever its kind. */
type OperationParts = Omit<OperationDefinition, 'name' | 'fields'>;

function operationParts(content: Content): ReadonlyMap<string, OperationParts> {
  const operations = content.value['operations'];
  const parts = new Map<string, OperationParts>();
  for (const [name, operation] of Object.entries(isObject(operations) ? operations : {})) {
    const path = ['operations', name];
    const result = isObject(operation) ? operation['result'] : undefined;
    const outcomes = readOutcomes(content, [...path, 'outcomes']);
    const lookup = readLookup(content, name);
    parts.set(name, {
      ...(typeof result === 'string'
        ? { result: content.expressionAt([...path, 'result'], result) }
        : {}),
      ...(outcomes.length === 0 ? {} : { outcomes }),
      ...(lookup === undefined ? {} : { lookup }),
    });
  }
  return parts;
}

function expressionsIn({ result, outcomes = [], lookup }: OperationParts): readonly Expression[] {
  return [result, ...outcomes.map(({ when }) => when), lookup?.found].flatMap((one) => one ?? []);
}

interface Parts {
  readonly checked: CheckedConnector;
  readonly parts: ReadonlyMap<string, OperationParts>;
  readonly secrets: readonly string[];
}

/** The content is free of errors, so that its fields have their types. */
function build(id: string, { checked, parts, secrets }: Parts): ConnectorDefinition {
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
      [...operations].map(([name, own]) => [name, { name, fields: own, ...parts.get(name) }]),
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
