// `handshakes:` and `answer:` of a receiver: what is wrong with them beyond their shape, and what
// intake uses of them.

import type { Json, JsonObject } from '../model/json.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import { type HandshakeName, type HandshakeNeed, handshakeShape } from './handshake-names.ts';
import type { AnswerDefinition, HandshakeDefinition } from './receive.ts';
import { parseVerify } from './verify-part.ts';
import { isHmac, isHmacOfBody, signsBodyOnly, type Way, waysOf } from './ways.ts';

const STATUS_DEFAULT = 200;
const REFUSED_DEFAULT = 401;
/** Whose answers have no body (RFC 9110 §15.3.5, §15.3.6). */
const bodiless = [204, 205];

interface Written {
  readonly name: string;
  readonly options: JsonObject;
  readonly path: Path;
}

/** Each a name, or a name with its options. */
function written(value: Json | undefined): readonly Written[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((one, index): Written[] => {
    const path = ['receive', 'handshakes', index];
    if (typeof one === 'string') return [{ name: one, options: {}, path }];
    if (!isObject(one)) return [];
    return Object.entries(one).map(([name, options]) => ({
      name,
      options: isObject(options) ? options : {},
      path: [...path, name],
    }));
  });
}

/** Where the options of handshakes that are secret stand in their connector. */
export function handshakeSecretPaths(receive: JsonObject): readonly (readonly string[])[] {
  return written(receive['handshakes']).flatMap(({ name, options, path }) =>
    Object.keys(options)
      .filter((option) => handshakeShape(name)?.options[option]?.secret === true)
      .map((option) => [...path, option].map(String)),
  );
}

export function handshakeFaults(receive: JsonObject): readonly Fault[] {
  const list = written(receive['handshakes']);
  return list.flatMap((one, index) => [
    ...repeatFaults(one, list.slice(0, index)),
    ...optionFaults(one),
    ...needFaults(one, receive),
  ]);
}

function repeatFaults({ name, path }: Written, before: readonly Written[]): readonly Fault[] {
  if (!before.some((other) => other.name === name)) return [];
  const message = `"${name}" is there already`;
  return [fault(path, 'wrong-value', { message, hint: 'keep one of them' })];
}

/** Of a name without options: those with some have their schema. */
function optionFaults({ name, options, path }: Written): readonly Fault[] {
  if (path.at(-1) === name) return [];
  return Object.entries(handshakeShape(name)?.options ?? {})
    .filter(([option, { required }]) => required && !(option in options))
    .map(([option, { examples }]) => {
      const message = `"${option}" is missing in the handshake "${name}"`;
      const hint = `write - ${name}: { ${option}: "${examples[0]}" }`;
      return fault(path, 'missing-field', { message, hint });
    });
}

const needWords: Readonly<Record<HandshakeNeed, string>> = {
  'body-hmac':
    '"hmac" over "{body}" alone: it signs what anybody asks, which must be no part of a message',
  hmac: 'a way to verify with "hmac", whose secret it answers with',
  sns: '"verify: { scheme: sns, … }": only what Amazon signed is confirmed',
  url: '"url", which is part of what is signed',
};

function needFaults({ name, path }: Written, receive: JsonObject): readonly Fault[] {
  const needs = handshakeShape(name)?.needs;
  if (needs === undefined || isThere(needs, receive)) return [];
  const message = `the handshake "${name}" needs ${needWords[needs]}`;
  return [fault(path, 'missing-field', { message })];
}

function isThere(need: HandshakeNeed, { verify, url }: JsonObject): boolean {
  if (need === 'url') return typeof url === 'string';
  const parsed = parseVerify(verify, []);
  // Nothing is said about what cannot be read, or is not there yet.
  if (parsed === undefined) return true;
  const ways = waysOf(parsed);
  return ways.some(fits[need]) && (need !== 'body-hmac' || signsBodyOnly(ways));
}

const fits: Readonly<Record<Exclude<HandshakeNeed, 'url'>, (way: Way) => boolean>> = {
  'body-hmac': isHmacOfBody,
  hmac: isHmac,
  sns: (way) => way.kind === 'scheme' && way.name === 'sns',
};

export function parseHandshakes(value: Json | undefined): readonly HandshakeDefinition[] {
  return written(value)
    .filter(({ name }) => handshakeShape(name) !== undefined)
    .map(({ name, options }) => ({
      kind: name as HandshakeName,
      options: Object.fromEntries(
        Object.entries(options).map(([option, text]) => [option, String(text)]),
      ),
    }));
}

export function answerFaults(answer: Json | undefined): readonly Fault[] {
  if (!isObject(answer)) return [];
  const { status, body, type } = answer;
  const path = ['receive', 'answer'];
  if (typeof status === 'number' && bodiless.includes(status) && typeof body === 'string' && body) {
    const message = `an answer with the status ${status} has no body`;
    return [fault([...path, 'body'], 'wrong-value', { message, hint: 'leave "body" out' })];
  }
  if (type !== undefined && !body) {
    const message = '"type" is of use only beside a "body"';
    return [fault([...path, 'type'], 'wrong-value', { message })];
  }
  return [];
}

export function parseAnswer(value: Json | undefined): AnswerDefinition {
  const { status, body, type, refused } = isObject(value) ? value : ({} as JsonObject);
  const statusNumber = typeof status === 'number' ? status : STATUS_DEFAULT;
  const text = bodiless.includes(statusNumber) ? '' : body;
  return {
    status: statusNumber,
    ...(typeof text === 'string' ? { body: text } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    refused: typeof refused === 'number' ? refused : REFUSED_DEFAULT,
  };
}
