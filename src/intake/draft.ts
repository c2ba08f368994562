// A request that is being made, so that a receiver reads out of it what was put in: the inverse of
// reading a place. Everything that is not put stays byte for byte.

import type { ListPath, Place, PlaceStep, Source, Template } from '../definitions/receive.ts';
import { setJson, splice } from '../model/json-set.ts';
import { elementsIn, sliceAt } from '../model/json-slices.ts';
import { readPlace } from './read-place.ts';
import { nameOfSource } from './ways.ts';
import { createRequestReader, type RequestReader } from './webhook-request.ts';

/** In places that a sender would name itself in. */
const OWN_NAME = 'crossdock-send';

export interface Draft {
  readonly headers: Record<string, string>;
  readonly query: URLSearchParams;
  readonly path: string;
  body: Buffer;
  /** Claims of the JWT that will be signed. */
  readonly claims: Record<string, string>;
  /** The address as the sender has it. */
  readonly url: string | undefined;
  /** Which of several header names is meant, from 0; of fewer names the first. */
  readonly family: number;
  /** Where JSON paths begin: an element of a list. Absent: at the body. */
  element?: { readonly list: ListPath; readonly index: number };
}

export function targetOf({ path, query }: Draft): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

export function draftReader(draft: Draft): RequestReader {
  const { headers, body, url } = draft;
  const repeated: ReadonlySet<string> = new Set();
  const request = { method: 'POST', target: targetOf(draft), headers, repeated, body };
  const json = elementText(draft);
  const reader = createRequestReader(request, {
    url,
    ...(json === undefined ? {} : { json: Buffer.from(json) }),
  });
  return {
    request,
    read: (source) => (source.from === 'claim' ? draft.claims[source.name] : reader.read(source)),
    token: (token) => reader.token(token),
  };
}

/** Whether `place` says `value` now, or says it already. A fixed text is left as it is. */
export function put(draft: Draft, place: Place, value: string): boolean {
  if (readPlace(place, draftReader(draft)) === value) return true;
  return candidates(place, draft.family).some((step) => putStep(draft, step, value));
}

/** Of several headers the one of the family, then the other steps in their order. */
function candidates(place: Place, family: number): readonly PlaceStep[] {
  const headers = place.filter(({ from }) => from === 'header');
  const chosen = headers[family] ?? headers[0];
  const others = place.filter(({ from }) => from !== 'header');
  return chosen === undefined ? others : [chosen, ...others];
}

function putStep(draft: Draft, step: PlaceStep, value: string): boolean {
  if (step.from === 'template') return putTemplate(draft, step.template, value);
  return step.from !== 'is' && putSource(draft, step, value);
}

function putSource(draft: Draft, source: Source, value: string): boolean {
  switch (source.from) {
    case 'header':
      draft.headers[source.name] = value;
      return true;
    case 'query':
      draft.query.set(source.name, value);
      return true;
    case 'form':
      draft.body = Buffer.from(setField(draft.body.toString(), source.name, value));
      return true;
    case 'claim':
      draft.claims[source.name] = value;
      return true;
    case 'json':
      return putJson(draft, source.path, value);
    default:
      return false;
  }
}

/** Each placeholder gets its part of `value`, as far as the fixed text between them tells them apart. */
export function putTemplate(draft: Draft, template: Template, value: string): boolean {
  const sources: Source[] = [];
  const pattern = patternOf(template, sources);
  const match = pattern === undefined ? null : new RegExp(`^${pattern}$`, 's').exec(value);
  if (match === null) return false;
  return sources.every((source, index) => {
    const part = match[index + 1];
    return part === undefined || putSource(draft, source, part);
  });
}

/**
 * As `put`; where the place is made of several parts, such as CloudEvents' source and id, the part
 * that is an id by its name gets it, and one where nothing stands a name of ours.
 */
export function putId(draft: Draft, place: Place, id: string): boolean {
  if (put(draft, place, id)) return true;
  const [step] = place.flatMap((one) => (one.from === 'template' ? one : []));
  const sources = step === undefined ? [] : partsOf(step.template, draft);
  const own = sources.findLast((source) => /(id|name|reference|uri)$/i.test(nameOfSource(source)));
  if (own === undefined) return false;
  for (const source of sources) {
    const isEmpty = draftReader(draft).read(source) === undefined;
    if (source !== own && isEmpty) putSource(draft, source, OWN_NAME);
  }
  return putSource(draft, own, id);
}

/** Of what is optional only where something of it stands there. */
function partsOf(template: Template, draft: Draft): readonly Source[] {
  const { read } = draftReader(draft);
  return template.flatMap((part) => {
    if (part.kind === 'source') return [part.source];
    if (part.kind !== 'optional') return [];
    const inner = partsOf(part.parts, draft);
    return inner.some((source) => read(source) !== undefined) ? inner : [];
  });
}

function patternOf(template: Template, sources: Source[]): string | undefined {
  const parts = template.map((part): string | undefined => {
    if (part.kind === 'text') return part.text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    if (part.kind === 'token') return undefined;
    if (part.kind === 'source') {
      sources.push(part.source);
      return '(.+?)';
    }
    const inner = patternOf(part.parts, sources);
    return inner === undefined ? undefined : `(?:${inner})?`;
  });
  return parts.includes(undefined) ? undefined : parts.join('');
}

function putJson(draft: Draft, path: readonly (string | number)[], value: string): boolean {
  const { element } = draft;
  const body = draft.body.toString();
  if (element === undefined) {
    const whole = setJson(body, path, value);
    if (whole !== undefined) draft.body = Buffer.from(whole);
    return whole !== undefined;
  }
  const slice = elementSlice(body, element);
  const changed = slice && setJson(body.slice(slice.start, slice.end), path, value);
  if (slice === undefined || changed === undefined) return false;
  draft.body = Buffer.from(splice(body, slice, changed));
  return true;
}

function elementText({ body, element }: Draft): string | undefined {
  if (element === undefined) return undefined;
  const text = body.toString();
  const slice = elementSlice(text, element);
  return slice && text.slice(slice.start, slice.end);
}

function elementSlice(text: string, { list, index }: NonNullable<Draft['element']>) {
  const all = sliceAt(text, list.path);
  const element = all && elementsIn(text, all)?.[index];
  return element && sliceAt(text, list.item, element);
}

/** A form with `value` under `name`; its other fields as they were written. */
export function setField(form: string, name: string, value: string): string {
  const field = new URLSearchParams([[name, value]]).toString();
  const fields = form === '' ? [] : form.split('&');
  const at = fields.findIndex((one) => new URLSearchParams(one).has(name));
  if (at === -1) return [...fields, field].join('&');
  return fields.map((one, index) => (index === at ? field : one)).join('&');
}
