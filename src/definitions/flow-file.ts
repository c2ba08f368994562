// One file of flows/: read and checked by itself. What it says about other files is checked in
// check-flows.ts, once all of them are known.

import type { Expression } from '../model/flow-revision.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { OrderPolicy } from '../model/order.ts';
import type { OutcomeOverride } from '../model/outcome.ts';
import type { Problem } from '../model/problem.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../model/retry.ts';
import { parseDurationMs } from '../model/units.ts';
import type { ShapeChecker } from './check-shape.ts';
import { type Content, checkRoot, fileContent, isObject, settle } from './content.ts';
import { type Fault, fault, isFaulty } from './fault.ts';
import { checkOrder, parseOrder } from './flow-order.ts';
import { flowSchema } from './flow-schema.ts';
import type { Lookup } from './interpolate.ts';
import { readOutcomes } from './outcomes-part.ts';
import type { SourceText } from './read-folder.ts';
import { parseYamlFile } from './yaml-file.ts';

const FIRST_MS_MIN = 100;
/** As long as the journal keeps events by default. */
const HORIZON_MS_MAX = 30 * 86_400_000;

/** A flow as its file says it; what is missing or wrong is absent and reported. */
export interface FlowSketch {
  readonly id: string;
  readonly content: Content;
  readonly description?: string;
  readonly from?: { readonly connector: string; readonly topics: readonly string[] };
  readonly to?: { readonly connector: string; readonly operation: string };
  readonly emit?: { readonly source: string; readonly topic: string };
  readonly when?: Expression;
  /** Names of files. */
  readonly map?: string;
  readonly input?: string;
  readonly output?: string;
  readonly order?: OrderPolicy;
  readonly retry: RetryPolicy;
  readonly outcomes: readonly OutcomeOverride[];
}

interface FlowContext {
  readonly lookup: Lookup;
  readonly checkShape: ShapeChecker;
}

/** Reads one flow file; `sketch` is absent where it is no mapping of fields. */
export function readFlow(
  source: SourceText,
  { lookup, checkShape }: FlowContext,
): { readonly sketch?: FlowSketch; readonly problems: readonly Problem[] } {
  const { yaml, problems } = parseYamlFile(source, {
    lookup,
    isExpression: (keys) => ['when', 'outcomes.when'].includes(keys.join('.')),
  });
  const wrongRoot = yaml === undefined ? [] : checkRoot(yaml);
  if (yaml === undefined || wrongRoot.length > 0) return { problems: [...problems, ...wrongRoot] };
  const own = fileContent(yaml);
  const { value, faults } = settle(own, (candidate) =>
    checkShape({ schema: flowSchema, value: candidate }),
  );
  const content = { ...own, value };
  const known = faults.filter(({ path }) => !content.isUnset(path));
  const sketch = sketchOf(source.id, content);
  const more = [...checkRetry(sketch.retry, value, faults), ...checkOrder(value, faults)];
  return { sketch, problems: [...problems, ...content.problems([...known, ...more])] };
}

function sketchOf(id: string, content: Content): FlowSketch {
  const { value } = content;
  const validate = objectOf(value['validate']);
  const to = splitAtDot(value['to']);
  const emit = splitAtDot(value['emit']);
  const when = value['when'];
  const order = parseOrder(value['order']);
  return {
    id,
    content,
    ...text('description', value['description']),
    ...fromOf(value['from']),
    ...(to === undefined ? {} : { to: { connector: to.head, operation: to.tail } }),
    ...(emit === undefined ? {} : { emit: { source: emit.head, topic: emit.tail } }),
    ...(typeof when === 'string' ? { when: content.expressionAt(['when'], when) } : {}),
    ...text('map', value['map']),
    ...text('input', validate['input']),
    ...text('output', validate['output']),
    ...(order === undefined ? {} : { order }),
    retry: parseRetry(objectOf(value['retry'])),
    outcomes: readOutcomes(content, ['outcomes']),
  };
}

/** The connector is known also where the topics are wrong. */
function fromOf(value: Json | undefined): Pick<FlowSketch, 'from'> {
  const { connector, topics } = objectOf(value);
  if (typeof connector !== 'string') return {};
  const list: readonly Json[] = Array.isArray(topics) ? topics : [];
  return { from: { connector, topics: list.filter((topic) => typeof topic === 'string') } };
}

function parseRetry(retry: JsonObject): RetryPolicy {
  const { attempts, first, max, horizon } = retry;
  return {
    attempts: typeof attempts === 'number' ? attempts : defaultRetryPolicy.attempts,
    firstMs: parseDurationMs(String(first)) ?? defaultRetryPolicy.firstMs,
    maxMs: parseDurationMs(String(max)) ?? defaultRetryPolicy.maxMs,
    horizonMs: parseDurationMs(String(horizon)) ?? defaultRetryPolicy.horizonMs,
  };
}

/** Nothing is made of fields whose shape is wrong, which stand in `policy` with their defaults. */
function checkRetry(
  policy: RetryPolicy,
  value: JsonObject,
  shapeFaults: readonly Fault[],
): readonly Fault[] {
  const given = objectOf(value['retry']);
  const faults: Fault[] = [];
  const report = (fields: readonly string[], message: string, hint?: string) => {
    if (fields.some((field) => isFaulty(shapeFaults, ['retry', field]))) return;
    const [field = ''] = fields;
    const path = field in given ? ['retry', field] : ['retry'];
    faults.push(fault(path, 'wrong-value', { message, hint }));
  };
  const { attempts, firstMs, maxMs, horizonMs } = policy;
  if (firstMs < FIRST_MS_MIN) report(['first'], '"retry.first" must be at least 100ms');
  if (maxMs < firstMs) {
    const hint = 'max is 1h where it is not given';
    report(['max', 'first'], '"retry.max" is shorter than "retry.first"', hint);
  }
  if (horizonMs > HORIZON_MS_MAX) report(['horizon'], '"retry.horizon" must be at most 30d');
  if (horizonMs < firstMs && attempts > 1) {
    const fields = ['horizon', 'first', 'attempts'];
    report(fields, '"retry.horizon" ends before the second attempt');
  }
  return faults;
}

function splitAtDot(value: Json | undefined): { head: string; tail: string } | undefined {
  const match = typeof value === 'string' ? /^([^.]+)[.](.+)$/.exec(value) : null;
  return match === null ? undefined : { head: match[1] ?? '', tail: match[2] ?? '' };
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function text<Name extends string>(
  name: Name,
  value: Json | undefined,
): { readonly [key in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [key in Name]: string }) : {};
}
