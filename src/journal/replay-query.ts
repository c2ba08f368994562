// The query of a replay as SQL: which deliveries, or which events that no flow took, fit.

import { firstIdOf } from '../model/ids.ts';
import type { ReplayQuery } from './replays-port.ts';

/** How far the clock of the process that made an id may have been off. */
const ID_SLACK_MS = 86_400_000;

export interface Candidates {
  /** Selects `id`, `event_id`, `busy` and the columns of a target. */
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** `values` continue after the `taken` parameters that the statement around it has. */
export function candidatesOf(query: ReplayQuery, taken: number): Candidates {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${taken + values.push(value)}`;
  const conditions = [...eventConditions(query, parameter)];
  if (query.state === 'unrouted') {
    conditions.push('NOT EXISTS (SELECT 1 FROM deliveries x WHERE x.event_id = e.id)');
    if (query.text !== undefined)
      conditions.push(`${inBody(parameter(bytes(query.text)), 'e.body')}`);
    const columns = `e.id, e.id AS event_id, false AS busy, NULL AS flow, NULL AS connector,
      NULL AS operation, e.source, e.topic`;
    return { sql: `SELECT ${columns} FROM events e WHERE ${all(conditions)}`, values };
  }
  conditions.push(...deliveryConditions(query, parameter));
  const columns = `d.id, d.event_id, EXISTS (
      SELECT 1 FROM deliveries x WHERE x.event_id = d.event_id AND x.flow = d.flow
        AND ${standsFor('x', 'd')}) AS busy,
    d.flow, d.connector, d.operation, NULL AS source, NULL AS topic`;
  const tables = 'deliveries d JOIN events e ON e.id = d.event_id';
  return { sql: `SELECT ${columns} FROM ${tables} WHERE ${all(conditions)}`, values };
}

/**
 * Whether the delivery `x` stands for `d`, of the same event and flow: it is under way, it is newer
 * and came to the same end, or it was delivered since.
 */
export function standsFor(x: string, d: string): string {
  return `(${x}.open OR ${x}.id > ${d}.id AND ${x}.state IN (${d}.state, 'delivered')
    OR ${x}.state = 'delivered' AND ${d}.state <> 'delivered' AND ${x}.updated_at > ${d}.updated_at)`;
}

type Parameter = (value: unknown) => string;

function eventConditions(query: ReplayQuery, parameter: Parameter): readonly string[] {
  const { topic, source, shop, key, since, until } = query;
  const conditions: string[] = [];
  const equal = { 'e.topic': topic, 'e.source': source, 'e.shop': shop, 'e.dedupe_key': key };
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) conditions.push(`${column} = ${parameter(value)}`);
  }
  if (since !== undefined) {
    const firstId = firstIdOf(Date.parse(since) - ID_SLACK_MS);
    conditions.push(`e.id >= ${parameter(firstId)}::uuid`);
    conditions.push(`e.received_at >= ${parameter(since)}::timestamptz`);
  }
  if (until !== undefined) conditions.push(`e.received_at < ${parameter(until)}::timestamptz`);
  return conditions;
}

function deliveryConditions(query: ReplayQuery, parameter: Parameter): readonly string[] {
  const { state, flow, connector, code, problem, text } = query;
  const conditions = [`d.state = ${parameter(state)}`, ...(state === 'dead' ? ['d.dead'] : [])];
  const equal = {
    'd.flow': flow,
    'd.connector': connector,
    'd.code': code,
    'd.problem': problem,
  };
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) conditions.push(`${column} = ${parameter(value)}`);
  }
  if (text !== undefined) {
    const reason = `strpos(lower(coalesce(d.reason, '')), ${parameter(text.toLowerCase())}) > 0`;
    const body = inBody(parameter(bytes(text)), 'coalesce(d.body, e.body)');
    conditions.push(`(${reason} OR ${body})`);
  }
  return conditions;
}

/** Byte by byte: it fails on no body, whatever is in it. */
function inBody(text: string, body: string): string {
  return `position(${text}::bytea IN ${body}) > 0`;
}

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function all(conditions: readonly string[]): string {
  return ['true', ...conditions].join(' AND ');
}
