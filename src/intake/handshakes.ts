// Questions that vendors ask before they send, or now and then: each is answered where the connector
// lists it, and no event is made of one. What is echoed is short, printable and plain text.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { type HandshakeName, isHandshake } from '../definitions/handshake-names.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import type { Log } from '../model/log.ts';
import { confirmSubscription } from './confirm-subscription.ts';
import type { IntakeAnswer } from './intake.ts';
import { secretsOf } from './secret-uses.ts';
import type { RequestReader } from './webhook-request.ts';

const ECHO_CHARACTERS_MAX = 4_096;
const TOKEN_CHARACTERS_MAX = 256;

interface Asked {
  readonly reader: RequestReader;
  readonly receive: ReceiveDefinition;
  readonly options: Readonly<Record<string, string>>;
  /** The newest one; absent where the connector has none. */
  readonly secret: string | undefined;
  readonly log: Log;
}

type Answering = (asked: Asked) => IntakeAnswer | undefined;

interface Handshake {
  /** Beside POST. */
  readonly methods: readonly string[];
  /** Of a request that nobody signs. */
  readonly unsigned?: Answering;
  /** Of one that was verified. */
  readonly signed?: Answering;
}

const handshakes: Readonly<Record<HandshakeName, Handshake>> = {
  'adobe-challenge': { methods: ['GET'], unsigned: (asked) => echo(query(asked, 'challenge')) },
  'cloudevents-options': { methods: ['OPTIONS'], unsigned: allowOrigin },
  'event-grid-validation': {
    methods: [],
    signed(asked) {
      if (header(asked, 'aeg-event-type') !== 'SubscriptionValidation') return undefined;
      const code = json(asked, [0, 'data', 'validationCode']);
      return code === undefined ? undefined : answerJson({ validationResponse: code });
    },
  },
  'get-ok': { methods: ['GET', 'HEAD'], unsigned: (asked) => (isPost(asked) ? undefined : ok) },
  'mandrill-test': { methods: ['HEAD'], unsigned: mandrillTest },
  'meta-challenge': {
    methods: ['GET'],
    unsigned(asked) {
      if (query(asked, 'hub.mode') !== 'subscribe') return undefined;
      const isRight = isSame(query(asked, 'hub.verify_token'), asked.options['token']);
      return isRight ? echo(query(asked, 'hub.challenge')) : { status: 403, text: '', body: {} };
    },
  },
  'slack-challenge': {
    methods: [],
    signed: (asked) =>
      json(asked, ['type']) === 'url_verification' ? echo(json(asked, ['challenge'])) : undefined,
  },
  'sns-confirm': {
    methods: [],
    signed(asked) {
      if (json(asked, ['Type']) !== 'SubscriptionConfirmation') return undefined;
      void confirmSubscription(json(asked, ['SubscribeURL']), asked.log);
      return ok;
    },
  },
  'validation-token': {
    methods: ['GET'],
    unsigned: (asked) => echo(query(asked, 'validationToken')),
  },
  'woocommerce-ping': {
    methods: [],
    unsigned(asked) {
      const isSigned = header(asked, 'x-wc-webhook-signature') !== undefined;
      const { body } = asked.reader.request;
      const isPing = body.length < 64 && /^webhook_id=\d{1,20}$/.test(body.toString());
      return isPing && !isSigned ? ok : undefined;
    },
  },
  'x-crc': {
    methods: ['GET'],
    // Anybody may ask, and the key is that of the webhooks: only tokens are signed, only where a
    // webhook's signature is over its whole body, and no webhook counts whose body could be a token.
    unsigned(asked) {
      const token = query(asked, 'crc_token');
      if (token === undefined || !isToken(token) || asked.secret === undefined) return undefined;
      if (!signsWholeBody(asked.receive)) return undefined;
      const digest = createHmac('sha256', asked.secret).update(token).digest('base64');
      return answerJson({ response_token: `sha256=${digest}` });
    },
    signed: ({ reader: { request } }) =>
      isToken(request.body.toString('latin1')) ? { status: 401, text: '', body: {} } : undefined,
  },
  'zoom-validation': {
    methods: [],
    signed(asked) {
      if (json(asked, ['event']) !== 'endpoint.url_validation') return undefined;
      const plainToken = printable(json(asked, ['payload', 'plainToken']));
      if (plainToken === undefined || asked.secret === undefined) return undefined;
      const encryptedToken = createHmac('sha256', asked.secret).update(plainToken).digest('hex');
      return answerJson({ plainToken, encryptedToken });
    },
  },
};

/** The methods beside POST and PUT that a connector's handshakes come with. */
export function handshakeMethods(receive: ReceiveDefinition): readonly string[] {
  const methods = receive.handshakes.flatMap(({ kind }) =>
    isHandshake(kind) ? handshakes[kind].methods : [],
  );
  return [...new Set(methods)];
}

/** The answer of the first handshake of the connector that the request asks for. */
export function answerHandshake(
  when: 'unsigned' | 'signed',
  receive: ReceiveDefinition,
  from: { readonly reader: RequestReader; readonly log: Log },
): IntakeAnswer | undefined {
  for (const { kind, options } of receive.handshakes) {
    const answering = isHandshake(kind) ? handshakes[kind][when] : undefined;
    if (answering === undefined) continue;
    const secret = secretsOf(receive.verify)[0]?.value;
    const answer = answering({ ...from, receive, options, secret });
    if (answer !== undefined) return answer;
  }
  return undefined;
}

const ok: IntakeAnswer = { status: 200, text: '', body: {} };

function echo(text: string | undefined): IntakeAnswer | undefined {
  const challenge = printable(text);
  return challenge === undefined ? undefined : { status: 200, text: challenge, body: {} };
}

function answerJson(value: Readonly<Record<string, string>>): IntakeAnswer {
  return { ...ok, text: JSON.stringify(value), type: 'application/json; charset=utf-8' };
}

function printable(text: string | undefined): string | undefined {
  if (text === undefined || text.length > ECHO_CHARACTERS_MAX) return undefined;
  return /^[^\p{Cc}]+$/u.test(text) ? text : undefined;
}

/** What base64 and ids are made of, so that it is no JSON body. An empty body is one of no length. */
function isToken(text: string): boolean {
  return text.length <= TOKEN_CHARACTERS_MAX && /^[A-Za-z0-9_.=+/-]*$/.test(text);
}

/** As X signs: with anything else in the template a token could be the rest of a message. */
function signsWholeBody({ verify }: ReceiveDefinition): boolean {
  if (verify?.kind !== 'signature' || verify.algorithm.family !== 'hmac') return false;
  const [part, ...more] = verify.signs;
  return more.length === 0 && part?.kind === 'token' && part.token === 'body';
}

/**
 * Whether strangers can have some text signed with the key of the webhooks. Compressed bytes may be
 * such a text while what they hold is not, so that a signature then counts over the body alone.
 */
export function signsForStrangers({ handshakes: listed }: ReceiveDefinition): boolean {
  return listed.some(({ kind }) => kind === 'x-crc');
}

/** https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md, section 4. */
function allowOrigin(asked: Asked): IntakeAnswer | undefined {
  const origin = header(asked, 'webhook-request-origin');
  if (asked.reader.request.method !== 'OPTIONS' || origin === undefined) return undefined;
  if (!/^[A-Za-z0-9.:*-]{1,253}$/.test(origin)) return undefined;
  const headers = {
    allow: 'POST',
    'webhook-allowed-origin': origin,
    'webhook-allowed-rate': '*',
  };
  return { ...ok, headers };
}

/** Before it is saved an address is asked with HEAD, and with no events, signed with this very key. */
function mandrillTest(asked: Asked): IntakeAnswer | undefined {
  const { reader } = asked;
  if (reader.request.method === 'HEAD') return ok;
  if (reader.read({ from: 'form', name: 'mandrill_events' }) !== '[]') return undefined;
  const [url, form] = [reader.token('url'), reader.token('form.sorted')];
  const mac = createHmac('sha1', 'test-webhook').update(`${url ?? ''}${form ?? ''}`);
  return isSame(header(asked, 'x-mandrill-signature'), mac.digest('base64')) ? ok : undefined;
}

function isPost({ reader }: Asked): boolean {
  return reader.request.method === 'POST' || reader.request.method === 'PUT';
}

function query({ reader }: Asked, name: string): string | undefined {
  return reader.read({ from: 'query', name });
}

function header({ reader }: Asked, name: string): string | undefined {
  return reader.read({ from: 'header', name });
}

function json({ reader }: Asked, path: readonly (string | number)[]): string | undefined {
  return reader.read({ from: 'json', path, text: '' });
}

function isSame(given: string | undefined, wanted: string | undefined): boolean {
  if (given === undefined || wanted === undefined || wanted === '') return false;
  const [one, other] = [given, wanted].map((text) =>
    createHmac('sha256', 'equal').update(text).digest(),
  );
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
