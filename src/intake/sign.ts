// Signing a webhook as its sender would: the inverse of verification, for `crossdock send` and the
// demo. Pure; posting it is the caller's.

import type { ListPath, Place, ReceiveDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { wrapJson } from '../model/json-set.ts';
import { type Draft, draftReader, put, putId, setField, targetOf } from './draft.ts';
import { elementsOf } from './elements.ts';
import { readPlace } from './read-place.ts';
import { type Signer, signDraft } from './sign-draft.ts';

/** One webhook as its sender has it in hand. */
export interface OutgoingWebhook {
  readonly topic: string;
  /** The sender's id of this message: what the receiver keeps duplicates apart by. */
  readonly id: string;
  readonly shop?: string;
  readonly occurredAt?: Date;
  /**
   * The bytes that will be posted; for a connector that splits its requests, one element or the
   * whole batch. Only what the receiver reads out of the body is set in it.
   */
  readonly body: Buffer;
  readonly contentType?: string;
  /** Makes an id for each element of a body that is a whole batch. @default they stay as they are */
  readonly newElementId?: () => string;
}

export interface SignedWebhook {
  readonly method: 'POST';
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface SigningOptions extends Partial<Signer> {
  /** Where the receiver takes webhooks, such as `/webhooks/shop`. */
  readonly path?: string;
  /** Which of several header names is used, from 0. @default 0 */
  readonly family?: number;
  /** Posted in the same request, where the connector splits its requests. */
  readonly more?: readonly OutgoingWebhook[];
}

/**
 * A request that makes `receive` accept `webhook`: topic, id, shop and time where the definition
 * reads them, then the signature, with the newest secret. What the definition reads from nowhere (a
 * fixed topic, a body hash) is left out. Throws CrossdockError `usage` where nobody but the vendor
 * could sign it, or there is no secret.
 */
export function signWebhook(
  receive: ReceiveDefinition,
  webhook: OutgoingWebhook,
  options: SigningOptions = {},
): SignedWebhook {
  const { path = '/', family = 0, more = [], nowMs = Date.now(), privateKey, devKey } = options;
  const base = { family, path, url: receive.url };
  const parts = [webhook, ...more].map((one) => described(receive, one, base));
  const [draft] = parts as [Draft];
  if (receive.split !== undefined) draft.body = batchOf(parts, receive.split);
  setContentType(draft, webhook.contentType);
  if (receive.verify !== undefined) {
    signDraft(receive.verify, draft, {
      nowMs,
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(devKey === undefined ? {} : { devKey }),
    });
  }
  const { headers, body } = draft;
  return { method: 'POST', target: targetOf(draft), headers, body };
}

/** The headers of `signWebhook`, for receivers that read nothing but headers. */
export function signedHeaders(receive: ReceiveDefinition, webhook: OutgoingWebhook): Headers {
  return signWebhook(receive, webhook).headers;
}

function described(
  receive: ReceiveDefinition,
  { body, topic, id, shop, occurredAt, newElementId }: OutgoingWebhook,
  base: Pick<Draft, 'family' | 'path' | 'url'>,
): Draft {
  const headers = { 'content-type': 'application/json' };
  const draft: Draft = { ...base, headers, query: new URLSearchParams(), body, claims: {} };
  if (receive.split !== undefined && isBatch(receive.split, body)) {
    if (newElementId !== undefined) nameElements(draft, receive, newElementId);
    return draft;
  }
  if (usesForm(receive) && receive.split === undefined) draft.body = formOf(body);
  put(draft, receive.topic, topic);
  putId(draft, receive.dedupe ?? [], id);
  if (shop !== undefined) put(draft, receive.shop, shop);
  if (occurredAt !== undefined) {
    put(draft, receive.occurredAt, timeLike(draft, receive.occurredAt, occurredAt));
  }
  return draft;
}

function nameElements(
  draft: Draft,
  { split, dedupe = [] }: ReceiveDefinition,
  newId: () => string,
): void {
  if (split === undefined || split.form !== undefined) return;
  const count = elementsOf(draft.body, split.list).length;
  for (let index = 0; index < count; index += 1) {
    draft.element = { list: split.list, index };
    putId(draft, dedupe, newId());
  }
  delete draft.element;
}

/** Written as the time that stands there: seconds, milliseconds or ISO 8601. */
function timeLike(draft: Draft, place: Place, time: Date): string {
  const before = readPlace(place, draftReader(draft)) ?? '';
  if (/^\d{10,11}$/.test(before)) return String(Math.floor(time.getTime() / 1_000));
  return /^\d{12,14}$/.test(before) ? String(time.getTime()) : time.toISOString();
}

type Split = NonNullable<ReceiveDefinition['split']>;

function isBatch({ form, list }: Split, body: Buffer): boolean {
  const text = body.toString();
  if (form !== undefined) return new URLSearchParams(text).has(form);
  try {
    const found = list.path.reduce<unknown>(
      (value, step) => (Object(value) as Record<string | number, unknown>)[step],
      JSON.parse(text),
    );
    return Array.isArray(found);
  } catch {
    return true;
  }
}

function batchOf(parts: readonly Draft[], split: Split): Buffer {
  const [first] = parts as [Draft];
  if (isBatch(split, first.body)) return first.body;
  const json = wrapList(parts, split.list);
  return Buffer.from(split.form === undefined ? json : setField('', split.form, json));
}

function wrapList(parts: readonly Draft[], { path, item, text }: ListPath): string {
  const elements = parts.map(({ body }) => wrapJson(item, body.toString().trim()));
  const whole = wrapJson(path, `[${elements.join(',')}]`);
  if (whole !== undefined && !elements.includes(undefined)) return whole;
  throw new CrossdockError('usage', `cannot make a batch for ${text}: give a payload that is one`);
}

/** Whether what the request is about stands in fields of a form. */
function usesForm(receive: ReceiveDefinition): boolean {
  const places = [receive.topic, receive.dedupe ?? [], receive.occurredAt, receive.shop];
  return places.flat().some(({ from }) => from === 'form');
}

/** JSON becomes fields, each value that is an object or a list as its JSON; a form stays. */
function formOf(body: Buffer): Buffer {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== 'object' || value === null) return body;
    const fields = Object.entries(value).map(([name, one]): [string, string] => [
      name,
      typeof one === 'string' ? one : JSON.stringify(one),
    ]);
    return Buffer.from(new URLSearchParams(fields).toString());
  } catch {
    return body;
  }
}

function setContentType(draft: Draft, given: string | undefined): void {
  const start = draft.body.subarray(0, 4_096).toString('latin1');
  const isForm = /^[^\s={}[\]<>&]+=[^\s{}<>]*$/.test(start);
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  draft.headers['content-type'] = given ?? type;
}
