// The `verify:` of a receiver: from its checked JSON to what intake verifies by, and what is wrong
// with it beyond its shape.

import type { Json, JsonObject } from '../model/json.ts';
import { parseDurationMs } from '../model/units.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import { parsePlace, placeFaults } from './place.ts';
import type {
  KeyDefinition,
  ListPath,
  Place,
  SecretDefinition,
  SignatureAlgorithm,
  SignatureDefinition,
  SignatureEncoding,
  Template,
  TimestampDefinition,
  VerifyDefinition,
} from './receive.ts';
import { type SchemeName, schemeNames } from './scheme-names.ts';
import { parseListPath, parseTemplate } from './template.ts';
import { needsSecret, type Way, wayFaults, wayPlace } from './way-faults.ts';

const CACHE_MS_DEFAULT = 86_400_000;
const SKEW_MS_DEFAULT = 60_000;

const families = ['hmac', 'hash', 'rsa', 'ecdsa', 'ed25519'] as const;

type Family = (typeof families)[number];

/** Nothing is made of shapes that are wrong: a way that is none is never one that lets in. */
export function parseVerify(
  verify: Json | undefined,
  secrets: readonly SecretDefinition[],
): VerifyDefinition | undefined {
  if (verify === 'none') return { kind: 'none' };
  if (verify === 'basic') return { kind: 'basic', secrets };
  if (!isObject(verify)) return undefined;
  const own = 'secrets' in verify ? parseSecrets(verify['secrets']) : secrets;
  for (const kind of ['any', 'all'] as const) {
    const list = verify[kind];
    if (!Array.isArray(list)) continue;
    const of = (list as readonly Json[]).flatMap((one) => parseVerify(one, secrets) ?? []);
    return { kind, of };
  }
  const family = familyOf(verify);
  return family === undefined ? parseOther(verify, own) : parseSignature(verify, family, own);
}

function familyOf(verify: JsonObject): Family | undefined {
  return families.find((name) => name in verify);
}

function parseSignature(
  verify: JsonObject,
  family: Family,
  secrets: readonly SecretDefinition[],
): SignatureDefinition {
  const { encoding, prefix, signs, timestamp, each } = verify;
  const list = (['pairs', 'tagged'] as const).flatMap((form) => {
    const name = verify[form];
    return typeof name === 'string' ? [{ form, name }] : [];
  })[0];
  const time = parseTimestamp(timestamp);
  const elements = typeof each === 'string' ? listOf(each) : undefined;
  return {
    kind: 'signature',
    algorithm: { family, hash: String(verify[family]) } as SignatureAlgorithm,
    signature: parsePlace(verify),
    encoding: encoding as SignatureEncoding,
    prefix: typeof prefix === 'string' ? prefix : '',
    signs: templateOf(signs ?? '{body}'),
    key: parseKey(verify['key']),
    secrets,
    equal: parseEqual(verify['equal']),
    ...(list === undefined ? {} : { list }),
    ...(time === undefined ? {} : { timestamp: time }),
    ...(elements === undefined ? {} : { each: elements }),
  };
}

function parseOther(
  verify: JsonObject,
  secrets: readonly SecretDefinition[],
): VerifyDefinition | undefined {
  const { token, jwt, certificate, addresses, scheme, basic } = verify;
  if (basic === true) return { kind: 'basic', secrets };
  if (isObject(token)) {
    return { kind: 'token', token: parsePlace(token), prefix: prefixOf(token), secrets };
  }
  if (isObject(jwt)) return parseJwt(jwt, verify, secrets);
  if (isObject(certificate)) {
    const subjects = textsOf(certificate['subjects']);
    return { kind: 'certificate', subject: parsePlace(certificate), subjects };
  }
  if (Array.isArray(addresses)) return { kind: 'addresses', blocks: textsOf(addresses) };
  const name = schemeNames.find((one) => one === scheme);
  return name === undefined ? undefined : parseScheme(name, verify, secrets);
}

function parseScheme(
  name: SchemeName,
  verify: JsonObject,
  secrets: readonly SecretDefinition[],
): VerifyDefinition {
  const topicArns = textsOf(verify['topicArns']).filter((text) => text.trim() !== '');
  const timestamp = parseTimestamp(verify['timestamp']);
  return {
    kind: 'scheme',
    name,
    secrets,
    ...(topicArns.length === 0 ? {} : { topicArns }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function parseJwt(
  jwt: JsonObject,
  verify: JsonObject,
  secrets: readonly SecretDefinition[],
): VerifyDefinition {
  const { jwks, claims, skew } = jwt;
  const wanted = Object.entries(isObject(claims) ? claims : {});
  return {
    kind: 'jwt',
    token: parsePlace(jwt),
    prefix: prefixOf(jwt),
    algorithms: textsOf(jwt['algorithms']),
    ...(typeof jwks === 'string' ? { jwks } : {}),
    key: parseKey(jwt['key']),
    issuers: textsOf(jwt['issuer']),
    audiences: textsOf(jwt['audience']),
    claims: Object.fromEntries(wanted.map(([name, value]) => [name, String(value)])),
    skewMs: parseDurationMs(String(skew)) ?? SKEW_MS_DEFAULT,
    secrets,
    equal: parseEqual(verify['equal']),
  };
}

function parseTimestamp(value: Json | undefined): TimestampDefinition | undefined {
  if (!isObject(value)) return undefined;
  const toleranceMs = parseDurationMs(String(value['tolerance']));
  const units = ['s', 'ms', 'iso', 'http'] as const;
  const unit = units.find((one) => one === value['unit']) ?? 's';
  return { place: parsePlace(value), unit, ...(toleranceMs === undefined ? {} : { toleranceMs }) };
}

function parseKey(value: Json | undefined): KeyDefinition {
  if (!isObject(value)) {
    const kinds = ['text', 'hex', 'base64', 'whsec', 'pem', 'der'] as const;
    return { kind: kinds.find((kind) => kind === value) ?? 'text' };
  }
  const { fetch, base, cache } = value;
  return {
    kind: 'fetched',
    form: fetch === 'x509' ? 'x509' : 'pem',
    from: parsePlace(value['at']),
    ...(typeof base === 'string' ? { base } : {}),
    hosts: textsOf(value['hosts']),
    cacheMs: parseDurationMs(String(cache)) ?? CACHE_MS_DEFAULT,
  };
}

function parseEqual(value: Json | undefined): readonly (readonly [Template, Template])[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((pair) => {
    const [left, right] = textsOf(pair);
    if (left === undefined || right === undefined) return [];
    return [[templateOf(left), templateOf(right)] as const];
  });
}

/** Secrets without a value are dropped: an optional one that is not set. */
export function parseSecrets(value: Json | undefined): readonly SecretDefinition[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((one): SecretDefinition[] => {
    const text = isObject(one) ? one['value'] : one;
    if (typeof text !== 'string' || text.trim() === '') return [];
    const notAfterMs = isObject(one) ? Date.parse(String(one['notAfter'])) : Number.NaN;
    return [{ value: text, ...(Number.isNaN(notAfterMs) ? {} : { notAfterMs }) }];
  });
}

function templateOf(text: Json): Template {
  const parsed = parseTemplate(String(text));
  return 'value' in parsed ? parsed.value : [];
}

function listOf(text: string): ListPath | undefined {
  const parsed = parseListPath(text);
  return 'value' in parsed ? parsed.value : undefined;
}

function prefixOf({ prefix }: JsonObject): string {
  return typeof prefix === 'string' ? prefix : '';
}

function textsOf(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** What is wrong with `verify` where its shape is right. `secrets` are those of `receive`. */
export function checkVerify(
  verify: Json | undefined,
  path: Path,
  secrets: Json | undefined,
): readonly Fault[] {
  if (verify === 'none') {
    const message = 'takes webhooks from anybody';
    return [fault(path, 'unverified-receiver', { message, severity: 'warning' })];
  }
  if (verify === 'basic') return checkWay({ basic: true }, path, secrets);
  if (!isObject(verify)) return [];
  const lists = ['any', 'all'].flatMap((name) => {
    const list = verify[name];
    if (!Array.isArray(list)) return [];
    return (list as readonly Json[]).flatMap((one, index) =>
      checkVerify(one, [...path, name, index], secrets),
    );
  });
  if ('any' in verify || 'all' in verify) return lists;
  return [...checkTexts(verify, path), ...checkWay(verify, path, secrets)];
}

function checkTexts(verify: JsonObject, path: Path): readonly Fault[] {
  const { timestamp, token, certificate, jwt, signs, each, key } = verify;
  return [
    ...placeFaults(verify, path),
    ...placeFaults(timestamp, [...path, 'timestamp']),
    ...placeFaults(token, [...path, 'token']),
    ...placeFaults(certificate, [...path, 'certificate']),
    ...placeFaults(jwt, [...path, 'jwt']),
    ...placeFaults(isObject(key) ? key['at'] : undefined, [...path, 'key', 'at']),
    ...(typeof signs === 'string' ? textFaults(parseTemplate(signs), [...path, 'signs']) : []),
    ...(typeof each === 'string' ? textFaults(parseListPath(each), [...path, 'each']) : []),
    ...equalFaults(verify['equal'], [...path, 'equal']),
  ];
}

function equalFaults(value: Json | undefined, path: Path): readonly Fault[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((pair, at) =>
    textsOf(pair).flatMap((text, side) => textFaults(parseTemplate(text), [...path, at, side])),
  );
}

function textFaults(parsed: object, path: Path): readonly Fault[] {
  if (!('problem' in parsed)) return [];
  return [fault(path, 'wrong-value', parsed.problem as { message: string; hint: string })];
}

/** A way that needs a secret has one, a place that must be named is named. */
function checkWay(verify: JsonObject, path: Path, secrets: Json | undefined): readonly Fault[] {
  const way = parseVerify(verify, parseSecrets(secrets));
  if (way === undefined || way.kind === 'none' || 'of' in way) return [];
  const places = checkPlaces(way, verify, path);
  return [
    ...places,
    ...(places.length > 0 ? [] : wayFaults(way, wayPlace(verify, path, secrets))),
    ...('secrets' in way && needsSecret(way) && way.secrets.length === 0
      ? [missingSecret('secrets' in verify ? [...path, 'secrets'] : path)]
      : []),
  ];
}

function checkPlaces(way: Way, verify: JsonObject, path: Path): readonly Fault[] {
  const place = wantedPlace(way);
  if (place === undefined || place.length > 0) return [];
  if (placeFaults(verify, path).length > 0) return [];
  const message = `"${path.join('.')}" does not say where to look`;
  const hint = 'name a header, such as header: X-Signature; or query, json, form';
  return [fault(path, 'missing-field', { message, hint, target: 'key' })];
}

function wantedPlace(way: Way): Place | undefined {
  switch (way.kind) {
    case 'signature':
      return way.signature;
    case 'token':
    case 'jwt':
      return way.token;
    case 'certificate':
      return way.subject;
    default:
      return undefined;
  }
}

function missingSecret(path: Path): Fault {
  const message = 'signatures are verified, but there is no secret to do it with';
  const hint = `secrets: ["\${NAME}"]`;
  return fault(path, 'secret-missing', { message, hint, target: 'key' });
}
