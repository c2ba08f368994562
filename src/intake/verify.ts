// Whether a request is from who it says: each way to verify, and several of them together. Made
// once from a connector's file; a secret that is no key is found then.

import type { VerifyDefinition } from '../definitions/receive.ts';
import { checkAddress, checkBasic, checkSubject, checkToken } from './credentials.ts';
import { elementsOf } from './elements.ts';
import { checkJwt } from './jwt.ts';
import type { PublishedKeys } from './published-keys.ts';
import { checkWithPublishedKey } from './published-signature.ts';
import { createScheme } from './schemes.ts';
import { secretKeys } from './secret-keys.ts';
import { checkSignature, type SignatureCheck } from './signature.ts';
import { firstTold, refused, type Verdict } from './verdict.ts';
import { createRequestReader, type RequestReader } from './webhook-request.ts';

export interface VerifyPorts {
  readonly keys: PublishedKeys;
}

/** At once wherever no key has to be fetched. `nowMs` is when the request came. */
export type Verifier = (reader: RequestReader, nowMs: number) => Verdict | Promise<Verdict>;

/** Throws an Error that says, without the secret, why a secret is no key. */
export function createVerifier(definition: VerifyDefinition, ports: VerifyPorts): Verifier {
  switch (definition.kind) {
    case 'none':
      return () => ({ kind: 'authentic' });
    case 'any':
      return anyOf(definition.of.map((one) => createVerifier(one, ports)));
    case 'all':
      return allOf(definition.of.map((one) => createVerifier(one, ports)));
    case 'signature':
      return createSignatureVerifier(definition, ports);
    case 'basic':
      return (reader, nowMs) => checkBasic(definition, reader, nowMs);
    case 'token':
      return (reader, nowMs) => checkToken(definition, reader, nowMs);
    case 'jwt':
      return checkJwt(definition, ports.keys);
    case 'certificate':
      return (reader) => checkSubject(definition, reader);
    case 'addresses':
      return checkAddress(definition);
    case 'scheme':
      return createScheme(definition, ports);
  }
}

function createSignatureVerifier(
  definition: Extract<VerifyDefinition, { kind: 'signature' }>,
  ports: VerifyPorts,
): Verifier {
  const { key, algorithm, secrets, each } = definition;
  if (key.kind === 'fetched') return checkWithPublishedKey(definition, key, ports.keys);
  const check = { definition, keys: secretKeys(secrets, key.kind, algorithm.family) };
  if (each === undefined) return (reader, nowMs) => checkSignature(check, reader, nowMs);
  return (reader, nowMs) => checkElements(check, reader, nowMs);
}

/** Every element must be signed, and there must be one. */
function checkElements(check: SignatureCheck, reader: RequestReader, nowMs: number): Verdict {
  const { each } = check.definition;
  const elements = each === undefined ? [] : elementsOf(reader.request.body, each);
  let verdict = refused('signature-missing', `the body has no elements at ${each?.text}`);
  for (const json of elements) {
    verdict = checkSignature(check, createRequestReader(reader.request, { json }), nowMs);
    if (verdict.kind === 'refused') return verdict;
  }
  return verdict;
}

/** The first that fits counts, and those behind it are not tried. */
function anyOf(verifiers: readonly Verifier[]): Verifier {
  return async (reader, nowMs) => {
    const verdicts: Verdict[] = [];
    for (const verifier of verifiers) {
      const verdict = await verifier(reader, nowMs);
      if (verdict.kind === 'authentic') return verdict;
      verdicts.push(verdict);
    }
    return firstTold(verdicts);
  };
}

function allOf(verifiers: readonly Verifier[]): Verifier {
  return async (reader, nowMs) => {
    let whole: Verdict = refused('signature-missing', 'there is no way to verify');
    for (const verifier of verifiers) {
      const verdict = await verifier(reader, nowMs);
      if (verdict.kind === 'refused') return verdict;
      whole = whole.kind === 'authentic' && whole.secret !== undefined ? whole : verdict;
    }
    return whole;
  };
}
