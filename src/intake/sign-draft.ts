// Every way to verify, the other way round: what a draft must hold so that it fits.

import type {
  SchemeDefinition,
  SignatureDefinition,
  TemplatePart,
  TimestampDefinition,
  VerifyDefinition,
} from '../definitions/receive.ts';
import { isCrossdockError } from '../model/errors.ts';
import { devKeyAddress } from './dev-key.ts';
import { type Draft, draftReader, put, putTemplate } from './draft.ts';
import { elementsOf } from './elements.ts';
import { type Readable, renderPieces, renderText } from './read-place.ts';
import { snsSignature } from './scheme-sns.ts';
import { cannotSign, type SigningKeys, signBytes } from './sign-bytes.ts';
import { JWT_LIFE_MS, signJwt } from './sign-jwt.ts';
import { writeTime } from './timestamp.ts';

/** What signing needs beside the definition. */
export interface Signer extends SigningKeys {
  /** The time that is signed, milliseconds since the epoch. */
  readonly nowMs: number;
}

export function signDraft(verify: VerifyDefinition, draft: Draft, signer: Signer): void {
  switch (verify.kind) {
    case 'any':
      signFirst(verify.of, draft, signer);
      return;
    case 'all':
      for (const way of verify.of) signDraft(way, draft, signer);
      return;
    case 'signature':
      signElements(verify, draft, signer);
      return;
    case 'basic':
      draft.headers['authorization'] = `Basic ${base64(secretOf(verify.secrets))}`;
      return;
    case 'token':
      mustPut(draft, verify.token, `${verify.prefix}${secretOf(verify.secrets)}`);
      return;
    case 'jwt':
      putEqual(verify.equal, draft);
      mustPut(draft, verify.token, `${verify.prefix}${signJwt(verify, draft.claims, signer)}`);
      return;
    case 'certificate':
      mustPut(draft, verify.subject, verify.subjects[0] ?? '');
      return;
    case 'scheme':
      signScheme(verify, draft, signer);
      return;
    default:
      return;
  }
}

/** The first way that can be signed here. */
function signFirst(ways: readonly VerifyDefinition[], draft: Draft, signer: Signer): void {
  let told: unknown;
  for (const way of ways) {
    const attempt = { ...draft, headers: { ...draft.headers }, claims: { ...draft.claims } };
    try {
      signDraft(way, attempt, signer);
    } catch (error) {
      if (!isCrossdockError(error, 'usage')) throw error;
      told ??= error;
      continue;
    }
    Object.assign(draft.headers, attempt.headers);
    draft.body = attempt.body;
    return;
  }
  throw told ?? cannotSign('there is no way to verify');
}

function secretOf(secrets: readonly { readonly value: string }[]): string {
  const [secret] = secrets;
  if (secret !== undefined) return secret.value;
  throw cannotSign('its connector has no secret; set the variable that receive.secrets names');
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function mustPut(draft: Draft, ...[place, value]: [Parameters<typeof put>[1], string]): void {
  if (put(draft, place, value)) return;
  throw cannotSign('the payload has no room for the signature; give one of the kind it is sent in');
}

function signElements(verify: SignatureDefinition, draft: Draft, signer: Signer): void {
  const { each } = verify;
  if (each === undefined) {
    signOne(verify, draft, signer);
    return;
  }
  const count = elementsOf(draft.body, each).length;
  if (count === 0) throw cannotSign(`the payload has no elements at ${each.text}`);
  for (let index = 0; index < count; index += 1) {
    draft.element = { list: each, index };
    signOne(verify, draft, signer);
  }
  delete draft.element;
}

function signOne(verify: SignatureDefinition, draft: Draft, signer: Signer): void {
  const { list, prefix, encoding, signs, equal, key } = verify;
  if (key.kind === 'fetched') mustPut(draft, key.from, devKeyAddress(key));
  const time = putTime(verify.timestamp, draft, signer.nowMs);
  putEqual(equal, draft);
  const secret = verify.secrets[0]?.value;
  const from = signable(draft, { time, secret });
  const bytes = renderPieces(signs, from).map((piece) => Buffer.from(piece));
  const written = `${prefix}${signBytes(verify, Buffer.concat(bytes), signer).toString(encoding)}`;
  mustPut(draft, verify.signature, listed(list, { written, time }));
}

interface SignedTime {
  readonly text: string;
  /** Where it stands in the signature's own list. */
  readonly pair?: string;
}

function putTime(
  timestamp: TimestampDefinition | undefined,
  draft: Draft,
  nowMs: number,
): SignedTime | undefined {
  if (timestamp === undefined) return undefined;
  const text = writeTime(nowMs, timestamp.unit);
  const pair = timestamp.place.find(({ from }) => from === 'pair');
  if (pair?.from === 'pair') return { text, pair: pair.name };
  mustPut(draft, timestamp.place, text);
  return { text };
}

function signable(
  draft: Draft,
  given: { readonly time: SignedTime | undefined; readonly secret: string | undefined },
): Readable {
  const reader = draftReader(draft);
  const { time, secret } = given;
  return {
    read: (source) =>
      source.from === 'pair' && source.name === time?.pair ? time.text : reader.read(source),
    token: (token) => {
      if (token === 'timestamp') return time?.text;
      return token === 'secret' ? secret : reader.token(token);
    },
  };
}

/** `t=1492774577,v1=5257a8…`, `v1,K5oZfz…`, or the signature alone. */
function listed(
  list: SignatureDefinition['list'],
  { written, time }: { readonly written: string; readonly time: SignedTime | undefined },
): string {
  const at = time?.pair === undefined ? '' : `${time.pair}=${time.text},`;
  if (list === undefined) return written;
  return list.form === 'pairs' ? `${at}${list.name}=${written}` : `${list.name},${written}`;
}

/** Makes the two the same, by the one that can be put. */
function putEqual(equal: SignatureDefinition['equal'], draft: Draft): void {
  for (const [left, right] of equal) {
    const reader = draftReader(draft);
    const [one, other] = [renderText(left, reader), renderText(right, reader)];
    if (one === other) continue;
    if (putTemplate(draft, left, other) || putTemplate(draft, right, one)) continue;
    throw cannotSign('two values that verify.equal compares cannot be made the same');
  }
}

function signScheme(verify: SchemeDefinition, draft: Draft, signer: Signer): void {
  if (verify.name === 'sns') {
    signSns(verify, draft, signer);
    return;
  }
  const type = draft.headers['content-type'] ?? '';
  const isForm = type.startsWith('application/x-www-form-urlencoded');
  const body = draftReader(draft).token('body.sha256');
  if (!isForm) draft.query.set('bodySHA256', String(body));
  const reader = draftReader(draft);
  const signed = `${reader.token('url') ?? ''}${isForm ? reader.token('form.sorted') : ''}`;
  const algorithm = { family: 'hmac', hash: 'sha1' } as const;
  const way = { algorithm, key: { kind: 'text' }, secrets: verify.secrets } as const;
  const signature = signBytes(way, Buffer.from(signed), signer);
  draft.headers['x-twilio-signature'] = signature.toString('base64');
}

/** A notification of the first topic that is listed, by signature version 2. */
function signSns(verify: SchemeDefinition, draft: Draft, signer: Signer): void {
  const fields = { SignatureVersion: '2', TopicArn: verify.topicArns?.[0] ?? '' };
  for (const [name, value] of Object.entries(fields)) {
    mustPut(draft, [{ from: 'json', path: [name], text: name }], value);
  }
  signOne(snsSignature(verify, 'sha256'), draft, signer);
}

/** How old a message may be for one of the ways; absent where none of them looks at a time. */
export function toleranceOf(verify: VerifyDefinition | undefined): number | undefined {
  switch (verify?.kind) {
    case 'any':
    case 'all': {
      const known = verify.of.map(toleranceOf).filter((one) => one !== undefined);
      const isLoose = verify.kind === 'any' && known.length < verify.of.length;
      if (known.length === 0 || isLoose) return undefined;
      return Math.max(...known);
    }
    case 'signature':
    case 'scheme':
      return verify.timestamp?.toleranceMs;
    case 'jwt':
      return verify.skewMs + JWT_LIFE_MS;
    default:
      return undefined;
  }
}

/** Whether a changed body is refused: what is signed holds all of it. */
export function coversBody(verify: VerifyDefinition | undefined): boolean {
  switch (verify?.kind) {
    case 'any':
      return verify.of.every(coversBody);
    case 'all':
      return verify.of.some(coversBody);
    case 'scheme':
      return true;
    case 'signature':
    case 'jwt': {
      const signed = verify.kind === 'signature' ? verify.signs : [];
      return [signed, ...verify.equal.flat()].flat().some(holdsBody);
    }
    default:
      return false;
  }
}

function holdsBody(part: TemplatePart): boolean {
  if (part.kind === 'optional') return part.parts.some(holdsBody);
  return part.kind === 'token' && (part.token.startsWith('body') || part.token === 'form.sorted');
}
