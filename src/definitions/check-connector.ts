// What can be wrong with the content of a connector: its shape, by the common fields and by those
// of its kind, and what shapes cannot say.

import type { JsonObject } from '../model/json.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { parseDurationMs } from '../model/units.ts';
import { catalogueProperties } from './catalogue-schema.ts';
import type { ShapeChecker } from './check-shape.ts';
import { connectorProperties, operationProperties } from './connector-schema.ts';
import { type Content, isObject, settle, valueAt, withoutAt, withTexts } from './content.ts';
import type { KindSchema } from './definitions.ts';
import { type Fault, fault, isFaulty, type Path } from './fault.ts';
import { checkLookups } from './lookup-part.ts';
import { checkReceive, receiveSecretPatterns } from './receive-part.ts';
import { checkSecrets, leavesAt, namedPatterns } from './secrets.ts';
import { verifyShape } from './verify-shape.ts';

const TIMEOUT_MS_MIN = 1_000;
const TIMEOUT_MS_MAX = 120_000;

/** The schemas that connectors are checked by; made once a load. */
export interface ConnectorShapes {
  readonly common: JsonObject;
  /** Of a catalogue entry. */
  readonly entry: JsonObject;
  readonly commonNames: readonly string[];
  readonly kinds: ReadonlyMap<string, KindShape>;
}

export interface KindShape {
  readonly schema: KindSchema;
  readonly fields: JsonObject;
  readonly operation: JsonObject;
}

export function connectorShapes(kinds: readonly KindSchema[]): ConnectorShapes {
  const names = kinds.map(({ kind }) => kind);
  const properties = connectorProperties(names);
  const shapes = kinds.map((schema): [string, KindShape] => [
    schema.kind,
    {
      schema,
      fields: { additionalProperties: false, ...schema.connectorSchema },
      operation: { additionalProperties: false, ...schema.operationSchema },
    },
  ]);
  return {
    common: { type: 'object', properties },
    entry: { type: 'object', properties: catalogueProperties(names), required: ['title'] },
    commonNames: Object.keys(properties),
    kinds: new Map(shapes),
  };
}

export interface CheckedConnector {
  /** The content with every value in its final type. */
  readonly value: JsonObject;
  /** The kind's own fields. */
  readonly fields: JsonObject;
  /** The kind's own fields of each operation. */
  readonly operations: ReadonlyMap<string, JsonObject>;
  /** Where secrets stand; a step may be `*`. */
  readonly secretPatterns: readonly (readonly string[])[];
  readonly faults: readonly Fault[];
}

/** Checks all of a connector's content. */
export function checkConnector(
  content: Content,
  shapes: ConnectorShapes,
  checkShape: ShapeChecker,
): CheckedConnector {
  const kind = shapes.kinds.get(String(content.value['kind']));
  // A mistake in the kind's own name keeps no secret from being seen.
  const schemas = [...(kind === undefined ? shapes.kinds.values() : [kind])];
  const secretPatterns = [
    ...receiveSecretPatterns(content.raw),
    ...schemas.flatMap(({ schema }) => secretPatternsOf(schema, content.raw)),
  ];
  const secretPaths = secretPatterns.flatMap((pattern) => leavesAt(content.value, pattern));
  const texted = { ...content, value: withTexts(content, content.value, secretPaths) };
  const { value, faults: shapeFaults } = settle(texted, (candidate) => [
    ...checkShape({ schema: shapes.common, value: candidate }),
    ...verifyShape(valueAt(candidate, ['receive', 'verify']), ['receive', 'verify'], checkShape),
    ...checkKindFields(candidate, { kind, shapes, checkShape }),
  ]);
  const known = shapeFaults.filter(({ path }) => !content.isUnset(path));
  const fields = without(value, shapes.commonNames);
  const operations = operationFields(value);
  const faults = [
    ...known,
    ...checkSecrets(content, secretPatterns),
    ...checkParts(value),
    ...checkRanges(value, shapeFaults),
    ...(isObject(value['operations']) ? checkLookups(value['operations'], shapeFaults) : []),
    ...checkProbe(value, shapeFaults),
    ...checkByKind(value, { kind, shapes, shapeFaults }),
  ];
  return { value, fields, operations, secretPatterns, faults };
}

function secretPatternsOf(
  { secretFields, namedSecrets }: KindSchema,
  raw: JsonObject,
): readonly (readonly string[])[] {
  const stepsOf = (path: string) => path.split('/');
  return [
    ...secretFields.map(stepsOf),
    ...(namedSecrets?.paths ?? []).flatMap((path) =>
      namedPatterns(raw, stepsOf(path), namedSecrets?.names ?? /^$/),
    ),
  ];
}

/** What a kind says of the values that fit its schema, and not of what the others' absence does. */
function checkByKind(
  value: JsonObject,
  context: {
    readonly kind: KindShape | undefined;
    readonly shapes: ConnectorShapes;
    readonly shapeFaults: readonly Fault[];
  },
): readonly Fault[] {
  const { kind, shapes, shapeFaults } = context;
  const wrong = shapeFaults.filter(({ code }) => code !== 'missing-field');
  const fitting = wrong.reduce((rest, { path }) => withoutAt(rest, path), value);
  const fields = without(fitting, shapes.commonNames);
  const problems = kind?.schema.check?.(fields, operationFields(fitting)) ?? [];
  return problems.filter(({ path }) => !isFaulty(wrong, path));
}

interface KindTools {
  readonly kind: KindShape | undefined;
  readonly shapes: ConnectorShapes;
  readonly checkShape: ShapeChecker;
}

function checkKindFields(value: JsonObject, tools: KindTools): readonly Fault[] {
  const { kind, shapes, checkShape } = tools;
  const fields = without(value, shapes.commonNames);
  if (kind === undefined) return 'kind' in value ? [] : checkKindless(fields, tools);
  const alsoKnown = shapes.commonNames;
  const faults = [...checkShape({ schema: kind.fields, value: fields, alsoKnown })];
  for (const [name, operation] of operationFields(value)) {
    const path = ['operations', name];
    const known = Object.keys(operationProperties);
    const shape = { schema: kind.operation, value: operation, path, alsoKnown: known };
    faults.push(...checkShape(shape));
  }
  return faults;
}

/** Fields beyond the common ones have no place without a kind; say which kind has them. */
function checkKindless(fields: JsonObject, tools: KindTools): readonly Fault[] {
  const { shapes, checkShape } = tools;
  const schema = { type: 'object', additionalProperties: false };
  return checkShape({ schema, value: fields, alsoKnown: shapes.commonNames }).map((found) => {
    const name = String(found.path[0]);
    const owner = [...shapes.kinds.values()].find(({ fields: { properties } }) =>
      Object.hasOwn(isObject(properties) ? properties : {}, name),
    );
    return owner === undefined ? found : { ...found, hint: `add "kind: ${owner.schema.kind}"` };
  });
}

/** A connector receives, or is called, or both. */
function checkParts(value: JsonObject): readonly Fault[] {
  const missing = (message: string, hint: string, path: Path = []) => [
    fault(path, 'missing-field', { message, hint, target: 'key' }),
  ];
  if ('operations' in value && !('kind' in value)) {
    return missing('operations need a "kind"', 'such as kind: http', ['operations']);
  }
  if ('kind' in value && !('operations' in value)) {
    return missing('"operations" is missing in this file', 'a kind is of use by its operations');
  }
  if ('kind' in value || 'receive' in value || 'uses' in value) return [];
  return missing('the file says neither how to receive nor how to call', 'add receive or kind');
}

function checkRanges(value: JsonObject, faults: readonly Fault[]): readonly Fault[] {
  const found: Fault[] = [];
  const timeoutMs = parseDurationMs(String(value['timeout'] ?? '20s')) ?? 0;
  if (
    !isFaulty(faults, ['timeout']) &&
    (timeoutMs < TIMEOUT_MS_MIN || timeoutMs > TIMEOUT_MS_MAX)
  ) {
    const message = '"timeout" must be from 1s to 120s';
    found.push(fault(['timeout'], 'wrong-value', { message }));
  }
  const receive = value['receive'];
  if (isObject(receive)) found.push(...checkReceive(receive, operationNames(value), faults));
  return found;
}

function operationNames({ operations }: JsonObject): readonly string[] {
  return isObject(operations) ? Object.keys(operations) : [];
}

/** `check` names an operation of the same file. */
function checkProbe(value: JsonObject, faults: readonly Fault[]): readonly Fault[] {
  const { check } = value;
  if (typeof check !== 'string' || isFaulty(faults, ['check'])) return [];
  const names = operationNames(value);
  if (names.includes(check)) return [];
  const message = `there is no operation "${check}" in this file`;
  const hint = didYouMeanOrKnown(check, names);
  return [fault(['check'], 'unknown-operation', { message, hint })];
}

/** The operations of a connector without the fields that every operation has. */
function operationFields(value: JsonObject): ReadonlyMap<string, JsonObject> {
  const operations = isObject(value['operations']) ? value['operations'] : {};
  const fields = new Map<string, JsonObject>();
  for (const [name, operation] of Object.entries(operations)) {
    if (isObject(operation)) fields.set(name, without(operation, Object.keys(operationProperties)));
  }
  return fields;
}

function without(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
