// What a handshake is, and the answers that all of them give. What came is given back only as plain
// text or JSON of a bounded length, and never as anything that a browser would run.

import type { HandshakeDefinition, ReceiveDefinition } from '../../definitions/receive.ts';
import { CrossdockError } from '../../model/errors.ts';
import { type RefusalCode, refused, type Verdict } from '../verdict.ts';
import type { RequestReader } from '../webhook-request.ts';

/** Methods that reach intake beside POST and PUT, where a handshake is asked with them. */
export type QuestionMethod = 'GET' | 'HEAD' | 'OPTIONS';

export interface Handshake {
  readonly methods: readonly QuestionMethod[];
  /** It signs what anybody asks, with the key of the webhooks. */
  readonly signsForStrangers?: true;
  /** Of any request, before anything is verified. `undefined`: it does not ask this. */
  before?(reader: RequestReader): HandshakeReply | undefined;
  /** Of a POST or PUT that was verified; `secret` is the number of the one that fitted. */
  after?(reader: RequestReader, secret: number | undefined): HandshakeReply | undefined;
}

export interface AnswerReply {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type: string;
  readonly body: string;
  /** Is asked with GET after the answer, by which the vendor knows that we want it. */
  readonly confirm?: URL;
}

export type HandshakeReply =
  | AnswerReply
  | { readonly kind: 'refused'; readonly verdict: Extract<Verdict, { kind: 'refused' }> };

export type CreateHandshake = (
  definition: HandshakeDefinition,
  receive: ReceiveDefinition,
) => Handshake;

/** A challenge that is given back. Those of vendors have some hundred at most. */
const CHALLENGE_CHARACTERS_MAX = 4_096;
/** Of a token that is signed. */
export const TOKEN_CHARACTERS_MAX = 256;

export function textReply(body = ''): AnswerReply {
  return { kind: 'answer', status: 200, type: 'text/plain; charset=utf-8', body };
}

export function jsonReply(value: Readonly<Record<string, string>>): AnswerReply {
  const type = 'application/json; charset=utf-8';
  return { kind: 'answer', status: 200, type, body: JSON.stringify(value) };
}

export function refusedReply(code: RefusalCode, reason: string): HandshakeReply {
  const verdict = refused(code, reason);
  if (verdict.kind !== 'refused') throw new Error('a refusal refuses');
  return { kind: 'refused', verdict };
}

/** Printable ASCII without what begins a tag. */
const challenge = /^[\x20-\x3b\x3d\x3f-\x7e]+$/;

/** `text`, where it may be given back. Throws `request-malformed`. */
export function echoable(text: string): string {
  if (text.length <= CHALLENGE_CHARACTERS_MAX && challenge.test(text)) return text;
  const message = `a challenge has 1 to ${CHALLENGE_CHARACTERS_MAX} plain characters`;
  throw new CrossdockError('request-malformed', message);
}

/**
 * What is signed for whoever asks: letters, digits and what base64 and ids are made of, so that it
 * can be neither a JSON body nor a text with a time in it.
 */
export function isToken(text: string): boolean {
  return text.length <= TOKEN_CHARACTERS_MAX && /^[A-Za-z0-9_.=+/-]+$/.test(text);
}

/** `text`, where it may be signed. Throws `request-malformed`. */
export function signable(text: string): string {
  if (isToken(text)) return text;
  const message = `a token has 1 to ${TOKEN_CHARACTERS_MAX} letters, digits and -_.=+/`;
  throw new CrossdockError('request-malformed', message);
}

export function queryOf(reader: RequestReader, name: string): string | undefined {
  return reader.read({ from: 'query', name });
}

export function headerOf(reader: RequestReader, name: string): string | undefined {
  return reader.read({ from: 'header', name });
}

export function jsonOf(
  reader: RequestReader,
  ...path: readonly (string | number)[]
): string | undefined {
  return reader.read({ from: 'json', path, text: path.join('.') });
}
