// How the http kind signs its requests in. Fixed headers, or an access token of OAuth2 client
// credentials (RFC 6749 §4.4): one fetch at a time, however many calls wait for it.

import type { Outcome } from '../model/outcome.ts';
import { guardCall } from './call-guard.ts';
import type { HttpAnswer, HttpCaller, HttpRequest } from './http-call.ts';
import type { HttpAuthFields, OAuth2Fields } from './http-fields.ts';
import { outcomeOf } from './http-outcome.ts';
import { createRedactor, type Redactor } from './redact.ts';

/** What a call needs to be let in, and what must not show of it. */
export interface Credentials {
  readonly kind: 'credentials';
  readonly header?: { readonly name: string; readonly value: string };
  readonly redactor: Redactor;
}

export interface NoCredentials {
  readonly kind: 'none';
  readonly outcome: Outcome;
}

export interface HttpAuth {
  current(): Credentials | Promise<Credentials | NoCredentials>;
  /**
   * The remote system did not take these. Whether others will come in their place that may be
   * taken: not where these themselves came in the place of refused ones and were never taken.
   */
  refused(credentials: Credentials): boolean;
  /** The remote system let these in. */
  taken(credentials: Credentials): void;
}

export interface AuthContext {
  readonly name: string;
  readonly timeoutMs: number;
  readonly secrets: readonly string[];
  now(): number;
}

/** A token without `expires_in` is kept this long. */
const TOKEN_DEFAULT_MS = 300_000;
/** A token is renewed this long before it runs out, or a tenth of its life where that is less. */
const TOKEN_MARGIN_MS = 60_000;

export function createHttpAuth(
  auth: HttpAuthFields,
  caller: HttpCaller,
  context: AuthContext,
): HttpAuth {
  if (auth?.oauth2 !== undefined) return createTokenAuth(auth.oauth2, caller, context);
  const header = fixedHeader(auth);
  const pair = auth?.basic === undefined ? [] : [basicPair(auth.basic.user, auth.basic.password)];
  const credentials: Credentials = {
    kind: 'credentials',
    ...(header === undefined ? {} : { header }),
    redactor: createRedactor([...context.secrets, ...pair, ...secretsOf(auth)]),
  };
  return { current: () => credentials, refused: () => false, taken: () => undefined };
}

function fixedHeader(auth: HttpAuthFields): Credentials['header'] {
  if (auth?.bearer !== undefined) return { name: 'Authorization', value: `Bearer ${auth.bearer}` };
  if (auth?.basic !== undefined) {
    const value = `Basic ${basicPair(auth.basic.user, auth.basic.password)}`;
    return { name: 'Authorization', value };
  }
  return auth?.header;
}

function secretsOf(auth: HttpAuthFields): string[] {
  const { bearer, basic, header } = auth ?? {};
  return [bearer, basic?.password, header?.value].filter((value) => value !== undefined);
}

function basicPair(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

function createTokenAuth(oauth2: OAuth2Fields, caller: HttpCaller, context: AuthContext): HttpAuth {
  const redactor = createRedactor([...context.secrets, oauth2.clientSecret]);
  let held: { readonly credentials: Credentials; readonly untilMs: number } | undefined;
  let fetching: Promise<Credentials | NoCredentials> | undefined;
  // The next token comes in the place of a refused one.
  let replaces = false;
  const replacements = new WeakSet<Credentials>();

  async function fetchToken(): Promise<Credentials | NoCredentials> {
    const guard = guardCall(context.timeoutMs, new AbortController().signal);
    try {
      const answer = await caller.call(tokenRequest(oauth2), guard);
      const token = parseToken(answer);
      if (token === undefined) {
        return { kind: 'none', outcome: tokenOutcome(answer, guard, context) };
      }
      const header = { name: 'Authorization', value: `Bearer ${token.value}` };
      const credentials = {
        kind: 'credentials',
        header,
        redactor: redactor.with(token.value),
      } as const;
      if (replaces) replacements.add(credentials);
      replaces = false;
      const marginMs = Math.min(TOKEN_MARGIN_MS, token.lifeMs / 10);
      held = { credentials, untilMs: context.now() + token.lifeMs - marginMs };
      return credentials;
    } finally {
      guard.close();
    }
  }

  return {
    current() {
      if (held !== undefined && context.now() < held.untilMs) return held.credentials;
      fetching ??= fetchToken().finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    refused(credentials) {
      if (held?.credentials === credentials) {
        held = undefined;
        replaces = true;
      }
      return !replacements.has(credentials);
    },
    taken: (credentials) => replacements.delete(credentials),
  };
}

function tokenRequest(oauth2: OAuth2Fields): HttpRequest {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (oauth2.scope !== undefined) form.set('scope', oauth2.scope);
  if (oauth2.audience !== undefined) form.set('audience', oauth2.audience);
  const headers: Record<string, string> = {
    'Content-Type': 'application/x-www-form-urlencoded',
    Accept: 'application/json',
    'User-Agent': 'Crossdock',
  };
  if (oauth2.style === 'body') {
    form.set('client_id', oauth2.clientId);
    form.set('client_secret', oauth2.clientSecret);
  } else {
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    const pair = basicPair(formEncoded(oauth2.clientId), formEncoded(oauth2.clientSecret));
    headers['Authorization'] = `Basic ${pair}`;
  }
  return { method: 'POST', url: oauth2.tokenUrl, headers, body: form.toString() };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}

function parseToken(answer: HttpAnswer): { value: string; lifeMs: number } | undefined {
  if (answer.kind === 'failed' || answer.status !== 200 || answer.ending !== 'whole') {
    return undefined;
  }
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString());
  } catch {
    return undefined;
  }
  const { access_token: value, expires_in: seconds } = Object(body) as Record<string, unknown>;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  const lifeMs = Number(seconds) > 0 ? Number(seconds) * 1_000 : TOKEN_DEFAULT_MS;
  return { value, lifeMs };
}

function tokenOutcome(
  answer: HttpAnswer,
  guard: Parameters<typeof outcomeOf>[1],
  context: AuthContext,
): Outcome {
  const outcome = outcomeOf(answer, guard, {
    name: `The token server of ${context.name}`,
    timeoutMs: context.timeoutMs,
    nowMs: context.now(),
    tokenRenewed: false,
    addressFixed: false,
  });
  switch (outcome.kind) {
    case 'delivered':
      return {
        kind: 'retry',
        code: 'response-unusable',
        reason: `The token server of ${context.name} answered without a usable access token`,
      };
    case 'retry': {
      // Nothing was sent to the system itself.
      const { ambiguous: _, ...certain } = outcome;
      return certain;
    }
    case 'rejected':
      return { ...outcome, kind: 'retry', code: 'unauthorized' };
  }
}
