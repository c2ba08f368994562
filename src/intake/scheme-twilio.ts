// Twilio signs the address as it has it, and then the fields of a form, or by way of the query the
// hash of another body. https://www.twilio.com/docs/usage/webhooks/webhooks-security; the forms of
// the address are those that its own library tries.

import { createHash, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { SchemeDefinition, SignatureDefinition } from '../definitions/receive.ts';
import { formFieldsOf, sortedFields } from './form-fields.ts';
import { secretKeys } from './secret-keys.ts';
import { checkExpiry, findSignatures, signatureFits } from './signature.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

const algorithm = { family: 'hmac', hash: 'sha1' } as const;

const signature: SignatureDefinition = {
  kind: 'signature',
  algorithm,
  signature: [{ from: 'header', name: 'x-twilio-signature' }],
  encoding: 'base64',
  prefix: '',
  signs: [],
  key: { kind: 'text' },
  secrets: [],
  equal: [],
};

export function createTwilioVerifier({
  secrets,
}: SchemeDefinition): (reader: RequestReader, nowMs: number) => Verdict {
  const keys = secretKeys(secrets, 'text', 'hmac');
  return (reader, nowMs) => {
    const found = findSignatures(signature, reader);
    if ('kind' in found) return found;
    const url = reader.token('url')?.toString() ?? '';
    const fields = signedFields(url, reader);
    if (typeof fields !== 'string') return fields;
    const { signatures } = found;
    const fitting = keys.filter((key) => {
      const fits = formsOf(url).filter((form) =>
        signatureFits(algorithm, { key, pieces: [form, fields], signatures }),
      );
      return fits.length > 0;
    })[0];
    if (fitting === undefined) {
      return refused('signature-wrong', 'the signature fits neither secret nor address');
    }
    return checkExpiry(fitting, nowMs) ?? { kind: 'authentic', secret: fitting.number };
  };
}

/** What is signed behind the address; refused where nothing signed speaks for the body. */
function signedFields(url: string, reader: RequestReader): string | Verdict {
  const { body, headers } = reader.request;
  const hash = URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null;
  if (hash !== null) {
    const expected = createHash('sha256').update(body).digest();
    const given = Buffer.from(hash, 'hex');
    const isSame = given.length === expected.length && timingSafeEqual(given, expected);
    return isSame ? '' : refused('signature-wrong', 'the body is not the one of bodySHA256');
  }
  if (body.length === 0) return '';
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return refused('signature-missing', 'the body is no form, and the address has no bodySHA256');
  }
  const form = formFieldsOf(body);
  if (form === undefined) return refused('signature-unreadable', 'the form has too many fields');
  return joined(form);
}

/** Sorted by name; values of one name sorted too, and each once. */
function joined(form: URLSearchParams): string {
  return sortedFields(form)
    .flatMap(([name, values]) => [...new Set(values)].sort().map((value) => name + value))
    .join('');
}

/** As it stands and as the standard writes it, each with its port and without. */
function formsOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return [url];
  const plain = new URL(url).href;
  const forms = [url, plain].flatMap((form) => [withPort(form, false), withPort(form, true)]);
  return [...new Set([...forms, ...forms.slice(2).map(escaped)])];
}

function withPort(url: string, wanted: boolean): string {
  const [, scheme = '', host = '', port = '', rest = ''] =
    /^(https?:\/\/)([^/?#:]*)(:\d+)?(.*)$/i.exec(url) ?? [];
  if (!wanted) return `${scheme}${host}${rest}`;
  const usual = scheme.toLowerCase() === 'https://' ? ':443' : ':80';
  return `${scheme}${host}${port || usual}${rest}`;
}

/** The query escaped as back ends do that write it anew, such as %27 for an apostrophe. */
function escaped(url: string): string {
  const at = url.indexOf('?');
  if (at === -1 || at === url.length - 1) return url;
  return `${url.slice(0, at)}?${stringify(parse(url.slice(at + 1)))}`;
}
