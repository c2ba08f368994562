// What a refused request carries of passwords and tokens is not kept: in its place stands the
// SHA-256 of it. For a release the connector's own secrets are put back where the hash is theirs,
// so that the very request that came is verified, by the way that every request takes.

import { createHash } from 'node:crypto';
import type { JsonPath, ReceiveDefinition, Source } from '../definitions/receive.ts';
import { type Way, waysOf } from '../definitions/ways.ts';
import type { Headers } from '../model/event.ts';
import { sliceAt } from '../model/json-slices.ts';
import { decodeJson, parseJson } from '../model/json-text.ts';
import { nameOfSource, secretsOf, sourcesOfPlace, sourcesOfTemplate } from './ways.ts';

/** The parts of a request that credentials may stand in. */
export interface RequestParts {
  readonly target: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface HiddenParts extends RequestParts {
  /** `header authorization`, `query token`, `form token`, `json a.b`; `body` for the whole of it. */
  readonly hidden: readonly string[];
}

/** Where one credential stands, and what comes before it there. */
interface Slot {
  readonly source: Source;
  readonly prefixes: readonly string[];
  readonly isBasic: boolean;
}

const alwaysHidden = ['authorization', 'proxy-authorization', 'cookie'];
const soundsSecret = /(^|[-_.])(token|secret|passw|pwd|api-?_?key|access-?_?key|auth|session|sid)/i;
const hiddenText = /^sha256:([0-9a-f]{64})$/;
/** Shorter secrets would be found in anything. */
const SECRET_CHARS_MIN = 6;

export function hideCredentials(parts: RequestParts, receive: ReceiveDefinition): HiddenParts {
  const plan = planOf(receive);
  const hidden = new Set<string>();
  const change: Change = (source, value) => {
    if (!mustHide(source, plan)) return undefined;
    hidden.add(nameOfSource(source));
    return hideText(value, plan.slots.get(nameOfSource(source)));
  };
  const changed = changeParts(parts, plan.slots, change);
  const guarded = guard(changed ?? { ...parts, body: Buffer.alloc(0) }, receive, hidden);
  if (changed === undefined) hidden.add('body');
  return { ...guarded, hidden: [...hidden] };
}

/** With the connector's secrets where the hash of what was hidden is theirs. */
export function revealCredentials(
  { hidden, ...parts }: HiddenParts,
  receive: ReceiveDefinition,
): RequestParts {
  const { slots } = planOf(receive);
  const secrets = new Map(
    secretsOf(receive.verify).map(({ value }) => [sha256(Buffer.from(value)), value]),
  );
  const change: Change = (source, value) => {
    const slot = slots.get(nameOfSource(source));
    if (slot === undefined || !hidden.includes(nameOfSource(source))) return undefined;
    return revealText(value, slot, secrets);
  };
  return changeParts(parts, slots, change) ?? parts;
}

interface Plan {
  /** By the name of their source. */
  readonly slots: ReadonlyMap<string, Slot>;
  /** What signatures are read from or made over, and what names the event. */
  readonly needed: ReadonlySet<string>;
}

function planOf({ verify, topic, dedupe = [], occurredAt, shop }: ReceiveDefinition): Plan {
  const ways = waysOf(verify);
  const names = [topic, dedupe, occurredAt, shop].flatMap(sourcesOfPlace);
  const slots = new Map<string, Slot>();
  for (const way of ways) for (const slot of slotsOf(way)) addSlot(slots, slot);
  return { slots, needed: new Set([...ways.flatMap(signedBy), ...names].map(nameOfSource)) };
}

function addSlot(slots: Map<string, Slot>, slot: Slot): void {
  const name = nameOfSource(slot.source);
  const other = slots.get(name);
  const prefixes = [...(other?.prefixes ?? []), ...slot.prefixes];
  slots.set(name, {
    source: slot.source,
    prefixes: prefixes.toSorted((one, two) => two.length - one.length),
    isBasic: slot.isBasic || other?.isBasic === true,
  });
}

function slotsOf(way: Way): readonly Slot[] {
  if (way.kind === 'basic') {
    const source = { from: 'header', name: 'authorization' } as const;
    return [{ source, prefixes: [], isBasic: true }];
  }
  if (way.kind !== 'token' && way.kind !== 'jwt') return [];
  const prefixes = way.prefix === '' ? [] : [way.prefix];
  return sourcesOfPlace(way.token).map((source) => ({ source, prefixes, isBasic: false }));
}

function signedBy(way: Way): readonly Source[] {
  if (way.kind !== 'signature') return [];
  const { signature, signs, timestamp, equal } = way;
  return [
    ...sourcesOfPlace(signature),
    ...sourcesOfTemplate(signs),
    ...sourcesOfPlace(timestamp?.place ?? []),
    ...equal.flat().flatMap(sourcesOfTemplate),
  ];
}

function mustHide(source: Source, { slots, needed }: Plan): boolean {
  const name = nameOfSource(source);
  if (slots.has(name)) return true;
  if (needed.has(name) || source.from === 'json' || source.from === 'form') return false;
  return alwaysHidden.includes(source.name) || soundsSecret.test(source.name);
}

/** What stands there instead; `undefined` where it is left as it is. */
type Change = (source: Source, value: string) => string | undefined;

/** `undefined` where the body should be changed and cannot be read. */
function changeParts(
  { target, headers, body }: RequestParts,
  slots: Plan['slots'],
  change: Change,
): RequestParts | undefined {
  const at = target.indexOf('?');
  const query = at === -1 ? '' : target.slice(at + 1);
  const changedBody = changeBody(body, slots, change);
  if (changedBody === undefined) return undefined;
  return {
    target: at === -1 ? target : `${target.slice(0, at)}?${changePairs(query, 'query', change)}`,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        change({ from: 'header', name }, value) ?? value,
      ]),
    ),
    body: changedBody,
  };
}

function changeBody(body: Buffer, slots: Plan['slots'], change: Change): Buffer | undefined {
  const sources = [...slots.values()].map(({ source }) => source);
  let changed: Buffer | undefined = body;
  if (sources.some(({ from }) => from === 'form')) {
    changed = Buffer.from(changePairs(body.toString('latin1'), 'form', change), 'latin1');
  }
  for (const source of sources) {
    if (source.from === 'json') changed = changed && changeJson(changed, source, change);
  }
  return changed;
}

/** `a=1&b=2`; what is not changed keeps its own bytes. */
function changePairs(pairs: string, from: 'query' | 'form', change: Change): string {
  return pairs
    .split('&')
    .map((pair) => {
      const [[name, value] = ['', '']] = [...new URLSearchParams(pair)];
      const changed = name === '' ? undefined : change({ from, name }, value);
      const at = pair.indexOf('=');
      return changed === undefined || at === -1
        ? pair
        : `${pair.slice(0, at)}=${encodeURIComponent(changed)}`;
    })
    .join('&');
}

function changeJson(
  body: Buffer,
  source: Source & { readonly path: JsonPath },
  change: Change,
): Buffer | undefined {
  if (body.length === 0) return body;
  try {
    const text = decodeJson(body);
    parseJson(text);
    const slice = sliceAt(text, source.path);
    if (slice === undefined) return body;
    const value: unknown = JSON.parse(text.slice(slice.start, slice.end));
    const changed = change(source, typeof value === 'string' ? value : JSON.stringify(value));
    if (changed === undefined) return body;
    return Buffer.from(
      `${text.slice(0, slice.start)}${JSON.stringify(changed)}${text.slice(slice.end)}`,
    );
  } catch {
    // Not JSON: where its token stands, nobody can say.
    return undefined;
  }
}

function hideText(value: string, slot: Slot | undefined): string {
  const basic = /^(basic +)([A-Za-z0-9+/=_-]+)$/i.exec(value);
  if (slot?.isBasic === true && basic !== null) {
    return `Basic sha256:${sha256(Buffer.from(basic[2] ?? '', 'base64'))}`;
  }
  const prefix = slot?.prefixes.find((one) => value.startsWith(one)) ?? '';
  return `${prefix}sha256:${sha256(Buffer.from(value.slice(prefix.length)))}`;
}

function revealText(
  value: string,
  slot: Slot,
  secrets: ReadonlyMap<string, string>,
): string | undefined {
  const prefixes = slot.isBasic ? ['Basic ', ...slot.prefixes] : slot.prefixes;
  const prefix = prefixes.find((one) => value.startsWith(one)) ?? '';
  const [, digest = ''] = hiddenText.exec(value.slice(prefix.length)) ?? [];
  const secret = secrets.get(digest);
  if (secret === undefined) return undefined;
  const isBasic = slot.isBasic && prefix === 'Basic ';
  return `${prefix}${isBasic ? Buffer.from(secret).toString('base64') : secret}`;
}

/** No secret of the connector stays in clear anywhere, whatever place it was sent in. */
function guard(
  { target, headers, body }: RequestParts,
  { verify }: ReceiveDefinition,
  hidden: Set<string>,
): RequestParts {
  const secrets = secretsOf(verify)
    .map(({ value }) => value)
    .filter(({ length }) => length >= SECRET_CHARS_MIN);
  const holdsOne = (text: string | Buffer): boolean => secrets.some((one) => text.includes(one));
  const [path = ''] = target.split('?');
  const guarded = Object.entries(headers).map(([name, value]) => {
    if (!holdsOne(value)) return [name, value];
    hidden.add(`header ${name}`);
    return [name, hideText(value, undefined)];
  });
  const hidesQuery = holdsOne(target) || secrets.some((one) => target.includes(encoded(one)));
  if (hidesQuery) hidden.add('query');
  if (holdsOne(body)) hidden.add('body');
  return {
    target: hidesQuery ? path : target,
    headers: Object.fromEntries(guarded) as Headers,
    body: holdsOne(body) ? Buffer.alloc(0) : body,
  };
}

function encoded(text: string): string {
  return encodeURIComponent(text);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
