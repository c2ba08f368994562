// Why a request was refused, in words for the person who has to mend it: what was found, and which
// slip of sender, proxy or file would explain it. Each thing that is said was tried.

import type { ReceiveDefinition, SignatureDefinition } from '../definitions/receive.ts';
import { type Way, waysOf } from '../definitions/ways.ts';
import { secretKeys } from './secret-keys.ts';
import { checkSignature } from './signature.ts';
import type { Verdict } from './verdict.ts';
import { nameOfSource, sourcesOfPlace } from './ways.ts';
import { createRequestReader, isEncoded, type WebhookRequest } from './webhook-request.ts';

type Refused = Extract<Verdict, { kind: 'refused' }>;

/** Larger bodies are not hashed again and again. */
const BODY_BYTES_MAX = 256 * 1_024;
/** Of a text that the sender chose. */
const SHOWN_CHARS_MAX = 80;

/** The reason of `verdict`, and what else is known. No secret, no body; at most a few lines. */
export function diagnose(
  receive: ReceiveDefinition,
  request: WebhookRequest,
  verdict: Refused,
): string {
  const hints = hintsOf(receive, request, verdict);
  return [verdict.reason, ...hints].join('; ');
}

function hintsOf(
  receive: ReceiveDefinition,
  request: WebhookRequest,
  { code }: Refused,
): readonly string[] {
  switch (code) {
    case 'signature-wrong':
      return [...explainSignature(receive, request), ...bodyHints(request)];
    case 'signature-missing':
    case 'credentials-missing':
      return likeSignature(receive, request);
    case 'signature-unreadable':
      return explainSignature(receive, request);
    case 'secret-expired':
      return ['the sender still uses it'];
    case 'token-invalid':
      return ['its token is not kept, so this request cannot be verified again'];
    default:
      return [];
  }
}

interface Attempt {
  /** What would have to be so. */
  readonly text: string;
  readonly definition?: SignatureDefinition;
  readonly request?: WebhookRequest;
  readonly url?: string;
}

function explainSignature(receive: ReceiveDefinition, request: WebhookRequest): readonly string[] {
  if (request.body.length > BODY_BYTES_MAX) {
    return [`its body is over ${BODY_BYTES_MAX / 1_024} KiB: nothing else was tried`];
  }
  let tried = 0;
  for (const definition of waysOf(receive.verify).filter(isSharedSecret)) {
    for (const attempt of attemptsFor(definition, receive, request)) {
      tried += 1;
      if (fits({ definition, request, url: receive.url ?? '', ...attempt })) {
        return [`it would fit ${attempt.text}`];
      }
    }
  }
  if (tried === 0) return [];
  return [`neither does it with ${tried} usual changes of body, encoding, hash, key and time`];
}

function isSharedSecret(way: Way): way is SignatureDefinition {
  if (way.kind !== 'signature' || way.each !== undefined) return false;
  return way.algorithm.family === 'hmac' || way.algorithm.family === 'hash';
}

/** Whether the signature fits; what is checked after it does not matter here. */
function fits(given: Required<Omit<Attempt, 'text'>>): boolean {
  const { definition, request, url } = given;
  const { key, secrets, algorithm } = definition;
  if (key.kind === 'fetched') return false;
  try {
    const keys = secretKeys(secrets, key.kind, algorithm.family);
    const reader = createRequestReader(request, url === '' ? {} : { url });
    const verdict = checkSignature({ definition, keys }, reader, Date.now());
    return verdict.kind === 'authentic' || afterSignature.includes(verdict.code);
  } catch {
    // A secret that is no key in this form.
    return false;
  }
}

/** These are found only once the signature fits. */
const afterSignature: readonly string[] = [
  'too-old',
  'too-early',
  'timestamp-unreadable',
  'secret-expired',
  'not-equal',
];

function attemptsFor(
  definition: SignatureDefinition,
  receive: ReceiveDefinition,
  request: WebhookRequest,
): readonly Attempt[] {
  return [
    ...otherBodies(request),
    ...otherEncodings(definition),
    ...otherKeys(definition),
    ...otherHashes(definition),
    ...otherTimes(definition, request),
    ...otherAddresses(receive.url),
  ];
}

/** Bodies that are no UTF-8 text are left alone: reading them would change them. */
function otherBodies(request: WebhookRequest): readonly Attempt[] {
  const text = request.body.toString();
  if (!Buffer.from(text).equals(request.body)) return [];
  const minified = minify(text);
  const candidates: readonly (readonly [string, string])[] = [
    ['a body without its last line break: it was added on the way', text.replace(/\r?\n$/, '')],
    ['a body with a line break at its end: it was taken away on the way', `${text}\n`],
    ['a body without the white space around it', text.trim()],
    ['a body with line breaks LF instead of CRLF', text.replaceAll('\r\n', '\n')],
    ['the JSON without white space: it was written anew on the way', minified?.[0] ?? text],
    ['the JSON with two spaces a level: it was written anew on the way', minified?.[1] ?? text],
    ['an empty body', ''],
  ];
  return candidates
    .filter(([, body]) => body !== text)
    .map(([what, body]) => ({
      text: what,
      request: { ...request, body: Buffer.from(body) },
    }));
}

function minify(text: string): readonly [string, string] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return [JSON.stringify(value), JSON.stringify(value, undefined, 2)];
  } catch {
    return undefined;
  }
}

function otherEncodings(definition: SignatureDefinition): readonly Attempt[] {
  return (['hex', 'base64', 'base64url'] as const)
    .filter((encoding) => encoding !== definition.encoding)
    .map((encoding) => ({
      text: `read as ${encoding}; verify.encoding is ${definition.encoding}`,
      definition: { ...definition, encoding },
    }));
}

function otherKeys(definition: SignatureDefinition): readonly Attempt[] {
  const { key, secrets } = definition;
  const trimmed = secrets.map((one) => ({ ...one, value: one.value.trim() }));
  const unquoted = trimmed.map((one) => ({
    ...one,
    value: one.value.replace(/^(["'])(.*)\1$/, '$2'),
  }));
  const differ = (some: typeof secrets): boolean =>
    some.some(({ value }, index) => value !== secrets[index]?.value);
  const forms = (['text', 'base64', 'hex', 'whsec'] as const).filter((form) => form !== key.kind);
  return [
    ...(differ(trimmed)
      ? [{ text: 'a secret without the white space around it', secrets: trimmed }]
      : []),
    ...(differ(unquoted)
      ? [{ text: 'a secret without the quotes around it', secrets: unquoted }]
      : []),
    ...forms.map((form) => ({
      text: `with "key: ${form}"; verify.key is ${key.kind}`,
      key: { kind: form },
    })),
  ].map(({ text, ...change }) => ({ text, definition: { ...definition, ...change } }));
}

function otherHashes(definition: SignatureDefinition): readonly Attempt[] {
  const { algorithm } = definition;
  if (algorithm.family !== 'hmac' && algorithm.family !== 'hash') return [];
  return (['sha1', 'sha256', 'sha512'] as const)
    .filter((hash) => hash !== algorithm.hash)
    .map((hash) => ({
      text: `by ${hash}; verify names ${algorithm.hash}`,
      definition: { ...definition, algorithm: { ...algorithm, hash } },
    }));
}

const timeHeader = /(timestamp|^date$|-time$)/;
const TIME_HEADERS_MAX = 4;

/** A timestamp header that was changed, or is another one. */
function otherTimes(definition: SignatureDefinition, request: WebhookRequest): readonly Attempt[] {
  const { timestamp } = definition;
  if (timestamp === undefined) return [];
  const names = sourcesOfPlace(timestamp.place).map(nameOfSource);
  const others = Object.keys(request.headers)
    .filter((name) => timeHeader.test(name) && !names.includes(`header ${name}`))
    .slice(0, TIME_HEADERS_MAX);
  return others.map((name) => ({
    text: `over the time of the header ${shown(name)}`,
    definition: { ...definition, timestamp: { ...timestamp, place: [{ from: 'header', name }] } },
  }));
}

function otherAddresses(url: string | undefined): readonly Attempt[] {
  if (url === undefined) return [];
  const candidates: readonly (readonly [string, string])[] = [
    ['http:// in receive.url', url.replace(/^https:/, 'http:')],
    ['https:// in receive.url', url.replace(/^http:/, 'https:')],
    ['no slash at the end of receive.url', url.replace(/\/$/, '')],
    ['a slash at the end of receive.url', `${url}/`],
  ];
  return candidates
    .filter(([, other]) => other !== url)
    .map(([what, other]) => ({ text: `with ${what}`, url: other }));
}

/** What the request itself says of changes on its way. */
function bodyHints({ headers, body }: WebhookRequest): readonly string[] {
  const declared = headers['content-length'];
  const differs = declared !== undefined && Number(declared) !== body.length && !isEncoded(headers);
  const via = headers['via'];
  return [
    ...(differs
      ? [`its content-length says ${shown(declared)} bytes, and ${body.length} were received`]
      : []),
    ...(via === undefined ? [] : [`it came by a proxy (via: ${shown(via)}), which may change it`]),
  ];
}

const signatureLike = /(signature|hmac|digest|token)/;
const NAMES_SHOWN_MAX = 4;

/** Headers that look like what was looked for. */
function likeSignature(receive: ReceiveDefinition, request: WebhookRequest): readonly string[] {
  const known = new Set(waysOf(receive.verify).flatMap(wanted));
  const names = Object.keys(request.headers)
    .filter((name) => signatureLike.test(name) && !known.has(name))
    .slice(0, NAMES_SHOWN_MAX);
  if (names.length === 0) return [];
  return [`it has ${names.map((name) => `the header ${shown(name)}`).join(' and ')}`];
}

function wanted(way: Way): readonly string[] {
  const place = way.kind === 'signature' ? way.signature : 'token' in way ? way.token : [];
  return sourcesOfPlace(place).flatMap((source) => (source.from === 'header' ? [source.name] : []));
}

function shown(text: string): string {
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
