// The `receive:` part of a connector: from its checked JSON to what intake uses.

import type { Json, JsonObject } from '../model/json.ts';
import { parseDurationMs, parseSizeBytes } from '../model/units.ts';
import { isObject } from './content.ts';
import { type Fault, fault, isFaulty } from './fault.ts';
import {
  answerFaults,
  handshakeFaults,
  handshakeSecretPaths,
  parseAnswer,
  parseHandshakes,
} from './handshake-part.ts';
import { parsePlace, placeFaults } from './place.ts';
import { checkPoll, checkSchedules, parsePoll, parseSchedules } from './poll-part.ts';
import type {
  BodyLimits,
  QuarantineDefinition,
  ReceiveDefinition,
  SplitDefinition,
} from './receive.ts';
import { leavesAt } from './secrets.ts';
import { parseListPath } from './template.ts';
import { checkVerify, parseSecrets, parseVerify } from './verify-part.ts';
import { usesUrl } from './way-faults.ts';

const BODY_BYTES_DEFAULT = 1_048_576;
const BODY_BYTES_MAX = 10 * 1_048_576;
const DEPTH_DEFAULT = 100;
const KEYS_DEFAULT = 10_000;
const EVENTS_DEFAULT = 1_000;
const QUARANTINE_COUNT_DEFAULT = 500;
const QUARANTINE_BYTES_DEFAULT = 20 * 1_048_576;
const QUARANTINE_BYTES_MAX = 1_000 * 1_048_576;
const QUARANTINE_AGE_MS_DEFAULT = 7 * 86_400_000;
const QUARANTINE_AGE_MS_MAX = 90 * 86_400_000;

/**
 * Mistakes of a `receive:` that its schema cannot say; nothing is made of the parts that
 * `shapeFaults` are about.
 */
export function checkReceive(
  receive: JsonObject,
  operations: readonly string[],
  shapeFaults: readonly Fault[],
): readonly Fault[] {
  const isFine = (name: string) => !isFaulty(shapeFaults, ['receive', name]);
  const checks: Readonly<Record<string, () => readonly Fault[]>> = {
    verify: () => (isFine('secrets') ? verifyFaults(receive) : []),
    bodyMax: () => sizeFaults(receive['bodyMax'], ['receive', 'bodyMax'], BODY_BYTES_MAX),
    topic: () => placeFaults(receive['topic'], ['receive', 'topic']),
    dedupe: () => placeFaults(receive['dedupe'], ['receive', 'dedupe']),
    occurredAt: () => placeFaults(receive['occurredAt'], ['receive', 'occurredAt']),
    shop: () => placeFaults(receive['shop'], ['receive', 'shop']),
    split: () => splitFaults(receive['split']),
    handshakes: () => (isFine('verify') ? handshakeFaults(receive) : []),
    answer: () => answerFaults(receive['answer']),
    quarantine: () => quarantineFaults(receive['quarantine']),
    poll: () => checkPoll(receive['poll'], ['receive', 'poll'], operations),
    schedule: () => checkSchedules(receive['schedule'], ['receive', 'schedule']),
  };
  return Object.entries(checks).flatMap(([name, check]) =>
    name in receive && isFine(name) ? check() : [],
  );
}

function verifyFaults(receive: JsonObject): readonly Fault[] {
  const faults = checkVerify(receive['verify'], ['receive', 'verify'], receive['secrets']);
  return [
    ...faults.map((one) =>
      one.code === 'secret-missing' && one.path.at(-1) !== 'secrets'
        ? { ...one, path: 'secrets' in receive ? ['receive', 'secrets'] : ['receive'] }
        : one,
    ),
    ...urlFaults(receive),
  ];
}

function urlFaults({ verify, url }: JsonObject): readonly Fault[] {
  const parsed = parseVerify(verify, []);
  if (parsed === undefined || !usesUrl(parsed) || (typeof url === 'string' && url !== ''))
    return [];
  const message = '"url" is missing in "receive", and it is part of what is signed';
  const hint = 'the address of this receiver as the sender has it';
  return [fault(['receive'], 'missing-field', { message, hint, target: 'key' })];
}

function sizeFaults(
  value: Json | undefined,
  path: readonly string[],
  bytesMax: number,
): readonly Fault[] {
  const bytes = sizeOf(value, 1);
  if (bytes >= 1 && bytes <= bytesMax) return [];
  const message = `"${path.join('.')}" must be from 1b to ${bytesMax / 1_048_576}mb`;
  return [fault(path, 'wrong-value', { message })];
}

function splitFaults(split: Json | undefined): readonly Fault[] {
  const inForm = isObject(split);
  const text = inForm ? split['list'] : split;
  const parsed = parseListPath(String(text));
  const unless = inForm ? placeFaults(split['unless'], ['receive', 'split', 'unless']) : [];
  if ('value' in parsed) return unless;
  const path = inForm ? ['receive', 'split', 'list'] : ['receive', 'split'];
  return [fault(path, 'wrong-value', parsed.problem)];
}

function quarantineFaults(value: Json | undefined): readonly Fault[] {
  if (!isObject(value)) return [];
  const path = ['receive', 'quarantine'];
  const ageMs = parseDurationMs(String(value['age'] ?? '7d')) ?? 0;
  const message = '"receive.quarantine.age" must be from 1ms to 90d';
  return [
    ...sizeFaults(value['bytes'] ?? '1b', [...path, 'bytes'], QUARANTINE_BYTES_MAX),
    ...(ageMs >= 1 && ageMs <= QUARANTINE_AGE_MS_MAX
      ? []
      : [fault([...path, 'age'], 'wrong-value', { message })]),
  ];
}

/** Where the secrets of a receiver stand in its connector. */
export function receiveSecretPatterns(connector: JsonObject): readonly (readonly string[])[] {
  const receive = connector['receive'];
  if (!isObject(receive)) return [['receive', 'secrets']];
  const secrets = leavesAt(receive, [])
    .map((path) => ['receive', ...path.map(String)])
    .filter((path) => path.includes('secrets') && path.at(-1) !== 'notAfter');
  return [...secrets, ...handshakeSecretPaths(receive)];
}

export function parseReceive(receive: JsonObject): ReceiveDefinition {
  const verify = parseVerify(receive['verify'], parseSecrets(receive['secrets']));
  const dedupe = parsePlace(receive['dedupe']);
  const split = parseSplit(receive['split']);
  const poll = parsePoll(receive['poll']);
  const { url } = receive;
  return {
    ...(verify === undefined ? {} : { verify }),
    ...(typeof url === 'string' ? { url } : {}),
    topic: parsePlace(receive['topic']),
    ...(dedupe.length === 0 ? {} : { dedupe }),
    occurredAt: parsePlace(receive['occurredAt']),
    shop: parsePlace(receive['shop']),
    ...(split === undefined ? {} : { split }),
    ...(poll === undefined ? {} : { poll }),
    schedules: parseSchedules(receive['schedule']),
    handshakes: parseHandshakes(receive['handshakes']),
    answer: parseAnswer(receive['answer']),
    limits: parseLimits(receive),
    quarantine: parseQuarantine(receive['quarantine']),
  };
}

function parseLimits({ bodyMax, depthMax, keysMax, eventsMax }: JsonObject): BodyLimits {
  return {
    bytesMax: sizeOf(bodyMax, BODY_BYTES_DEFAULT),
    depthMax: numberOf(depthMax, DEPTH_DEFAULT),
    keysMax: numberOf(keysMax, KEYS_DEFAULT),
    eventsMax: numberOf(eventsMax, EVENTS_DEFAULT),
  };
}

function parseSplit(split: Json | undefined): SplitDefinition | undefined {
  const form = isObject(split) ? split['form'] : undefined;
  const text = isObject(split) ? split['list'] : split;
  const parsed = typeof text === 'string' ? parseListPath(text) : undefined;
  if (parsed === undefined || 'problem' in parsed) return undefined;
  const optional = isObject(split) && split['optional'] === true;
  const unless = isObject(split) ? parsePlace(split['unless']) : [];
  return { list: parsed.value, optional, unless, ...(typeof form === 'string' ? { form } : {}) };
}

function parseQuarantine(value: Json | undefined): QuarantineDefinition {
  const fields = isObject(value) ? value : ({} as JsonObject);
  const keep = isObject(value) ? value['keep'] : value;
  return {
    keep: keep === 'off' || keep === 'all' ? keep : 'sample',
    countMax: numberOf(fields['count'], QUARANTINE_COUNT_DEFAULT),
    bytesMax: sizeOf(fields['bytes'], QUARANTINE_BYTES_DEFAULT),
    ageMsMax: parseDurationMs(String(fields['age'])) ?? QUARANTINE_AGE_MS_DEFAULT,
  };
}

function sizeOf(value: Json | undefined, fallback: number): number {
  return typeof value === 'string' ? (parseSizeBytes(value) ?? 0) : fallback;
}

function numberOf(value: Json | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
