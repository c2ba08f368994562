// How a connector receives: the `receive:` of its file as intake uses it. Types only.

import type { JsonObject } from '../model/json.ts';
import type { HandshakeName } from './handshake-names.ts';
import type { SchemeName } from './scheme-names.ts';

/** The keys from a root to one value of a JSON body. */
export type JsonPath = readonly (string | number)[];

/**
 * Where one text of a request stands. Names of headers are lower-case. `pair` is a value of the
 * signature header's own list, such as the `t` of `t=1492774577,v1=5257a8…`; only `verify` has it.
 */
export type Source =
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'query'; readonly name: string }
  | { readonly from: 'form'; readonly name: string }
  | { readonly from: 'json'; readonly path: JsonPath; readonly text: string }
  | { readonly from: 'pair'; readonly name: string }
  | { readonly from: 'claim'; readonly name: string };

/** A piece of a template; `optional` is left out where one of its sources is absent. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'token'; readonly token: Token }
  | { readonly kind: 'optional'; readonly parts: readonly TemplatePart[] };

/**
 * What a template may take of a request beside its sources: the body as it came, its base64, the
 * hex of its SHA-256, its CRC-32 in decimal; the time and the secret as `verify` reads them; the
 * method; the address as the sender has it; the form's fields, sorted and joined.
 */
export type Token =
  | 'body'
  | 'body.base64'
  | 'body.sha256'
  | 'body.crc32'
  | 'timestamp'
  | 'secret'
  | 'method'
  | 'url'
  | 'form.sorted';

export type Template = readonly TemplatePart[];

/** Where a value is looked for, in this order; the first that is there and not empty counts. */
export type Place = readonly PlaceStep[];

export type PlaceStep =
  | Source
  | { readonly from: 'template'; readonly template: Template; readonly text: string }
  | { readonly from: 'is'; readonly text: string };

export interface SecretDefinition {
  readonly value: string;
  /** Milliseconds since the epoch; past it the secret is tried no more. */
  readonly notAfterMs?: number;
}

export interface ReceiveDefinition {
  /** Absent where no webhooks are taken: the connector polls, or keeps a schedule. */
  readonly verify?: VerifyDefinition;
  /** As the sender has it, where what is signed holds the address. */
  readonly url?: string;
  readonly topic: Place;
  /** Absent where the body itself tells repeats from new ones. */
  readonly dedupe?: Place;
  readonly occurredAt: Place;
  readonly shop: Place;
  /** The list in the body whose every element is an event of its own. */
  readonly split?: SplitDefinition;
  readonly handshakes: readonly HandshakeDefinition[];
  readonly answer: AnswerDefinition;
  readonly limits: BodyLimits;
  readonly quarantine: QuarantineDefinition;
  readonly poll?: PollDefinition;
  readonly schedules: readonly ScheduleDefinition[];
}

/** Events that are fetched by an operation. */
export interface PollDefinition {
  /** Of the same connector; its message is `{ since, cursor, page, now }`, all text. */
  readonly operation: string;
  /** @default 5 min */
  readonly everyMs: number;
  readonly items: ListPath;
  /** The field whose largest value says how far it has come; absent: every turn lists all. */
  readonly cursor?: {
    readonly path: JsonPath;
    readonly unit: 'iso' | 's' | 'ms' | 'number' | 'text';
  };
  /** How far a turn begins before the end of the last one, for times. @default 5 min */
  readonly overlapMs: number;
  /** `now`, `start`, or a value of the cursor. @default now */
  readonly from: string;
  /** Where the answer names the next page, or pages that are counted from 1. */
  readonly next?: JsonPath | 'count';
  /** Pages of one turn. @default 50 */
  readonly pagesMax: number;
}

/** Events that come by the clock, as `{ scheduledAt, … }`. */
export interface ScheduleDefinition {
  /** Five parts. */
  readonly cron: string;
  /** Of the tz database. @default UTC */
  readonly timezone: string;
  readonly topic: string;
  readonly body: JsonObject;
}

/** Each of a named unit; what is beyond is refused or, where it was signed, marked unreadable. */
export interface BodyLimits {
  /** Bytes, as sent and decompressed. @default 1 MiB */
  readonly bytesMax: number;
  /** Lists and objects inside one another. @default 100 */
  readonly depthMax: number;
  /** Keys of one object. @default 10,000 */
  readonly keysMax: number;
  /** Events of one request. @default 1,000 */
  readonly eventsMax: number;
}

/** `data[]`, `[]`, `notificationItems[].NotificationRequestItem`, or a form's field that is JSON. */
export interface SplitDefinition {
  /** The form field whose value is the JSON that is split; absent: the body. */
  readonly form?: string;
  readonly list: ListPath;
  /** A body without the list is one event; otherwise such a body is marked unreadable. */
  readonly optional: boolean;
  /** Where a request has this, it is one event, whatever its body is. */
  readonly unless: Place;
}

/** A list in a JSON body, and what of each element counts. */
export interface ListPath {
  readonly path: JsonPath;
  readonly item: JsonPath;
  /** As the file writes it. */
  readonly text: string;
}

export interface HandshakeDefinition {
  readonly kind: HandshakeName;
  /** What the kind wants to know, such as Meta's verify token. */
  readonly options: Readonly<Record<string, string>>;
}

export interface AnswerDefinition {
  /** The status of an accepted webhook. @default 200 */
  readonly status: number;
  /** @default `{"id": …}`; empty for none */
  readonly body?: string;
  /** The content type of `body`. @default text/plain */
  readonly type?: string;
  /** The status where the signature does not fit. @default 401 */
  readonly refused: number;
}

export interface QuarantineDefinition {
  /** @default sample */
  readonly keep: 'off' | 'sample' | 'all';
  /** Requests at once; older ones make room. @default 500 */
  readonly countMax: number;
  /** Bytes of all their bodies. @default 20 MiB */
  readonly bytesMax: number;
  /** @default 7 days */
  readonly ageMsMax: number;
}

export type VerifyDefinition =
  | { readonly kind: 'none' }
  /** One that fits is enough, or all must. */
  | { readonly kind: 'any' | 'all'; readonly of: readonly VerifyDefinition[] }
  | SignatureDefinition
  | BasicDefinition
  | TokenDefinition
  | JwtDefinition
  | CertificateDefinition
  | AddressesDefinition
  | SchemeDefinition;

export type SignatureAlgorithm =
  | { readonly family: 'hmac'; readonly hash: 'sha1' | 'sha256' | 'sha512' }
  /** A plain hash of a template that holds the secret. */
  | { readonly family: 'hash'; readonly hash: 'sha1' | 'sha256' | 'sha512' }
  | { readonly family: 'rsa'; readonly hash: 'sha1' | 'sha256' | 'sha512' }
  | { readonly family: 'ecdsa'; readonly hash: 'sha256' }
  | { readonly family: 'ed25519' };

export type SignatureEncoding = 'hex' | 'base64' | 'base64url';

/** A signature over bytes of the request, made with a secret or checked with a public key. */
export interface SignatureDefinition {
  readonly kind: 'signature';
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Place;
  readonly encoding: SignatureEncoding;
  /** Stands before each signature. @default '' */
  readonly prefix: string;
  /** The place holds a list: `t=1,v1=abc` (pairs) or `v1,abc v1a,def` (tagged). */
  readonly list?: { readonly form: 'pairs' | 'tagged'; readonly name: string };
  readonly signs: Template;
  readonly timestamp?: TimestampDefinition;
  readonly key: KeyDefinition;
  readonly secrets: readonly SecretDefinition[];
  /** Every element of this list carries its own signature; `json` starts at the element then. */
  readonly each?: ListPath;
  /** Pairs that must be the same text, once the signature fits. */
  readonly equal: readonly (readonly [Template, Template])[];
}

export interface TimestampDefinition {
  readonly place: Place;
  /** Seconds or milliseconds since the epoch, ISO 8601, or a date as in HTTP. @default s */
  readonly unit: 's' | 'ms' | 'iso' | 'http';
  /** How far it may lie back or ahead; absent: it is signed, and never too old. */
  readonly toleranceMs?: number;
}

export type KeyDefinition =
  /** How the secret's text becomes a key. `whsec`: base64 after `whsec_` or `whpk_`. */
  { readonly kind: 'text' | 'hex' | 'base64' | 'whsec' | 'pem' | 'der' } | FetchedKeyDefinition;

/** A public key that the request names and the vendor publishes. */
export interface FetchedKeyDefinition {
  readonly kind: 'fetched';
  readonly form: 'pem' | 'x509';
  /** Addresses of keys; one for each place that the signature may stand in, in its order. */
  readonly from: Place;
  /** `https://host`, put before a path. */
  readonly base?: string;
  /** Names of hosts, label by label; `*` is any one label: `*.paypal.com`. */
  readonly hosts: readonly string[];
  readonly cacheMs: number;
}

/** `user:password` as the secrets say. */
export interface BasicDefinition {
  readonly kind: 'basic';
  readonly secrets: readonly SecretDefinition[];
}

/** A secret that is sent along as it is. */
export interface TokenDefinition {
  readonly kind: 'token';
  readonly token: Place;
  readonly prefix: string;
  readonly secrets: readonly SecretDefinition[];
}

export interface JwtDefinition {
  readonly kind: 'jwt';
  readonly token: Place;
  readonly prefix: string;
  readonly algorithms: readonly string[];
  /** `https://…` of a JSON Web Key Set; absent: the secrets are the keys. */
  readonly jwks?: string;
  readonly key: KeyDefinition;
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  /** Claims that must be there with this value (as text). */
  readonly claims: Readonly<Record<string, string>>;
  readonly skewMs: number;
  readonly secrets: readonly SecretDefinition[];
  readonly equal: readonly (readonly [Template, Template])[];
}

/** The subject of a client certificate, as a proxy that is trusted tells it. */
export interface CertificateDefinition {
  readonly kind: 'certificate';
  readonly subject: Place;
  readonly subjects: readonly string[];
}

export interface AddressesDefinition {
  readonly kind: 'addresses';
  /** CIDR blocks or single addresses. */
  readonly blocks: readonly string[];
}

/** What cannot be said in fields, by its name. */
export interface SchemeDefinition {
  readonly kind: 'scheme';
  readonly name: SchemeName;
  /** `sns`: the topics that messages may be from. */
  readonly topicArns?: readonly string[];
  readonly secrets: readonly SecretDefinition[];
  readonly timestamp?: TimestampDefinition;
}
