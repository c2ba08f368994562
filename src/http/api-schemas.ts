// The shapes that `/api/v1` takes and gives, as JSON Schema: what it takes is checked by them, and the
// OpenAPI document lists them.

import { pauseScopes } from '../journal/gates-port.ts';
import {
  REPLAY_CHUNK_MAX,
  REPLAY_STATE_DEFAULT,
  replayableStates,
  replayRevisions,
} from '../journal/replays-port.ts';
import { deliveryStates } from '../model/delivery.ts';
import type { JsonObject } from '../model/json.ts';
import { outcomeCodes } from '../model/outcome-rules.ts';
import { problemStates } from '../model/problem-fingerprint.ts';

export const TEXT_CHARS_MAX = 500;
export const PAGE_MAX = 500;

const text = { type: 'string', minLength: 1, maxLength: TEXT_CHARS_MAX };
// Where a value does not fit a pattern or a format, its refusal says the description.
const time = {
  type: 'string',
  format: 'date-time',
  description: 'A time such as 2026-11-22T08:00:00Z.',
};
const id = { type: 'string', format: 'uuid', description: 'An id.' };
const count = { type: 'integer', minimum: 0 };
const limit = {
  type: 'string',
  // Up to PAGE_MAX.
  pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
  description: `A whole number from 1 to ${PAGE_MAX}.`,
};
const fingerprint = {
  type: 'string',
  pattern: '^[0-9a-f]{12,32}$',
  description: 'The fingerprint of a problem: its 32 hex digits, or the first 12 or more of them.',
};
const revision = { enum: [...replayRevisions], default: 'original' };
const rate = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,8}/[smh]$',
  default: '20/s',
  description: 'A rate such as 20/s, 600/m or 1000/h.',
};

function closed(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length === 0 ? {} : { required: [...required] }),
  };
}

/** What comes with a request: bodies, and the query parameters of lists. */
export const inputSchemas = {
  ProblemList: closed({ state: { enum: [...problemStates] }, connector: text, limit }),
  ProblemChange: closed({ state: { enum: [...problemStates] } }, ['state']),
  ReplayPlanRequest: closed(
    {
      query: closed({
        state: { enum: [...replayableStates], default: REPLAY_STATE_DEFAULT },
        flow: text,
        connector: text,
        topic: text,
        source: text,
        since: time,
        until: time,
        code: { enum: [...outcomeCodes] },
        text,
        problem: fingerprint,
        shop: text,
        key: text,
      }),
      revision,
      rate,
      reason: text,
    },
    ['query'],
  ),
  PauseRequest: closed({ reason: text }),
  ReplayList: closed({ before: id, limit }),
  DeliveryList: closed({
    flow: text,
    connector: text,
    state: { enum: [...deliveryStates] },
    eventId: id,
    problem: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'The fingerprint of a problem: all 32 hex digits.',
    },
    before: id,
    limit,
  }),
  QuarantineList: closed({ source: text, code: text, since: time, before: id, limit }),
  ReleaseOne: closed({ dryRun: { type: 'boolean' } }),
  ReleaseMany: closed(
    { source: text, code: text, since: time, after: id, dryRun: { type: 'boolean' } },
    ['source'],
  ),
  QuarantineDrop: closed({ source: text, code: text, since: time }, ['source']),
  ReplayOne: closed({
    revision,
    body: { type: 'string', description: 'The edited body, as text.' },
    bodyBase64: { type: 'string', contentEncoding: 'base64', pattern: '^[A-Za-z0-9+/]*={0,2}$' },
  }),
} as const satisfies Readonly<Record<string, JsonObject>>;

export type InputName = keyof typeof inputSchemas;

const problem = {
  fingerprint: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  class: text,
  code: text,
  connector: text,
  message: { type: 'string' },
  state: { enum: [...problemStates] },
  count: { ...count, description: 'Deaths, all told.' },
  dead: { ...count, description: 'Deliveries that are dead of it now.' },
  sampleDelivery: id,
  firstAt: time,
  lastAt: time,
  openedAt: time,
  changedAt: time,
  changedBy: text,
};

const target = {
  flow: text,
  connector: text,
  operation: text,
  source: text,
  topic: text,
  count,
};

const replay = {
  id,
  state: { enum: ['planned', 'running', 'done', 'cancelling', 'cancelled'] },
  query: { type: 'object' },
  revision,
  perSecond: { type: 'number' },
  targets: { type: 'array', items: { type: 'object', properties: target } },
  expectedMs: { type: 'number' },
  warnings: { type: 'array', items: { type: 'string' } },
  total: count,
  taken: { ...count, description: `Come past, at most ${REPLAY_CHUNK_MAX} at once.` },
  made: count,
  createdAt: time,
  createdBy: text,
  reason: text,
  startedAt: time,
  endedAt: time,
  waitingFor: text,
};

const member = {
  place: count,
  deliveryId: id,
  eventId: id,
  flow: text,
  connector: text,
  operation: text,
  revision: text,
  source: text,
  topic: text,
  shop: text,
  key: text,
};

const delivery = {
  id,
  eventId: id,
  flow: text,
  connector: text,
  operation: text,
  revision: text,
  state: { enum: [...deliveryStates] },
  code: text,
  reason: { type: 'string' },
  attempts: count,
  createdAt: time,
  updatedAt: time,
  dueAt: time,
  result: { type: 'string', description: 'JSON text: numbers as they came.' },
  replayOf: id,
  idempotencyKey: text,
  source: text,
  topic: text,
  key: text,
};

function open(properties: JsonObject): JsonObject {
  return { type: 'object', properties };
}

function listOf(name: string): JsonObject {
  return { type: 'array', items: { $ref: `#/components/schemas/${name}` } };
}

const lane = {
  lane: text,
  state: { enum: ['going', 'paused', 'breaker-open', 'resting'] },
  reason: text,
  open: count,
  dead: count,
  oldestDueMs: count,
  jobs: { type: 'object', additionalProperties: count },
  limits: { type: 'object' },
};

const pauseTarget = { scope: { enum: [...pauseScopes] }, name: text };
const pause = { ...pauseTarget, at: time, by: text, reason: text };

const quarantined = {
  id,
  source: text,
  code: text,
  reason: { type: 'string' },
  receivedAt: time,
  method: text,
  target: { type: 'string' },
  bytes: { ...count, description: 'Of the body as it was sent.' },
  sha256: text,
  address: text,
  releasedAt: time,
  eventIds: { type: 'array', items: id },
};

const released = {
  id,
  outcome: { enum: ['released', 'passes', 'was-released', 'refused'] },
  eventIds: { type: 'array', items: id },
  code: text,
  reason: { type: 'string' },
};

/** What an answer holds. */
export const outputSchemas: Readonly<Record<string, JsonObject>> = {
  Problem: open(problem),
  ProblemPage: open({ problems: listOf('Problem') }),
  Replay: open(replay),
  ReplayPage: open({ replays: listOf('Replay'), next: id }),
  ReplayPlan: open({
    replay: { $ref: '#/components/schemas/Replay' },
    sample: { type: 'array', items: { type: 'object', properties: member } },
    query: { type: 'object', description: 'In place of the rest, with `nothing`.' },
    nothing: {
      type: 'string',
      description: 'Nothing fits: what was looked for, and what to widen.',
    },
  }),
  ReplayProgress: open({
    replay: { $ref: '#/components/schemas/Replay' },
    states: { type: 'object', additionalProperties: count },
    open: count,
    isOver: { type: 'boolean' },
    madePerSecond: { type: 'number' },
    leftMs: { type: 'number' },
  }),
  Delivery: open(delivery),
  DeliveryPage: open({ deliveries: listOf('Delivery'), next: id }),
  DeliveryStory: open({
    ...delivery,
    history: open({
      attempts: { type: 'array', items: { type: 'object' } },
      changes: { type: 'array', items: { type: 'object' } },
    }),
    story: open({
      lines: { type: 'array', items: open({ at: time, text: { type: 'string' } }) },
      now: { type: 'string', description: 'Where it stands.' },
      todo: { type: 'string', description: 'What a person can do.' },
    }),
  }),
  LanePage: open({ lanes: { type: 'array', items: open(lane) } }),
  PausePage: open({ pauses: { type: 'array', items: open(pause) } }),
  PauseChange: open({ ...pauseTarget, paused: { type: 'boolean' }, changed: { type: 'boolean' } }),
  Quarantined: open(quarantined),
  QuarantinePage: open({ requests: listOf('Quarantined'), next: id }),
  QuarantinedWhole: open({
    ...quarantined,
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    repeated: { type: 'array', items: text },
    hidden: { type: 'array', items: text, description: 'Its value is `sha256:` and its hash.' },
    body: { type: 'string', description: 'Where it is text.' },
    bodyBase64: { type: 'string', contentEncoding: 'base64' },
  }),
  QuarantineDropped: open({ dropped: count }),
  Released: open(released),
  ReleaseReport: open({
    isTrial: { type: 'boolean' },
    looked: count,
    passed: count,
    refused: count,
    reasons: { type: 'array', items: open({ code: text, reason: { type: 'string' }, count }) },
    requests: listOf('Released'),
    next: id,
  }),
  Made: open({ made: { type: 'array', items: id } }),
  Error: open({
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
  }),
};
