// AWS SNS signs a list of fields of the body with a certificate that the body names.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

import type {
  FetchedKeyDefinition,
  Place,
  SchemeDefinition,
  SignatureDefinition,
  Source,
  Template,
} from '../definitions/receive.ts';
import type { PublishedKeys } from './published-keys.ts';
import { checkWithPublishedKey } from './published-signature.ts';
import { readPlace } from './read-place.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

const CACHE_MS = 86_400_000;

/** Hosts of Amazon's certificates; a subscription is confirmed at the same ones. */
export const snsHosts = ['sns.*.amazonaws.com', 'sns.*.amazonaws.com.cn'];

/** Of a region: `sns.s3.amazonaws.com` is a bucket of anybody's. */
export function isSnsAddress(url: string): boolean {
  return /^https:\/\/sns\.[a-z]{2}(-[a-z]+)+-\d+\.amazonaws\.com(\.cn)?\//.test(url);
}

/** In the order in which they are signed. `Subject` may be absent; the middle two confirm. */
const signedFields = [
  'Message',
  'MessageId',
  'Subject',
  'SubscribeURL',
  'Timestamp',
  'Token',
  'TopicArn',
  'Type',
];

/** Signature version 1 and 2. */
const hashes = { 1: 'sha1', 2: 'sha256' } as const;

/** Anybody can have a topic of their own, so those that count are listed. */
export function createSnsVerifier(
  definition: SchemeDefinition,
  { keys }: { readonly keys: PublishedKeys },
): (reader: RequestReader, nowMs: number) => Verdict | Promise<Verdict> {
  const { topicArns = [] } = definition;
  const checks = {
    1: checkWithPublishedKey(snsSignature(definition, hashes[1]), certificate, keys),
    2: checkWithPublishedKey(snsSignature(definition, hashes[2]), certificate, keys),
  };
  return (reader, nowMs) => {
    const version = readPlace(place('SignatureVersion'), reader);
    const url = readPlace(place('SigningCertURL'), reader);
    const topic = readPlace(place('TopicArn'), reader);
    if (version === undefined || url === undefined || topic === undefined) {
      return refused('signature-missing', 'the body is no signed message of SNS');
    }
    const odd = oddVerdict(reader, { url, isListed: topicArns.includes(topic) });
    if (odd !== undefined) return odd;
    if (version === '1' || version === '2') return checks[version](reader, nowMs);
    return refused('signature-unreadable', 'its SignatureVersion is neither 1 nor 2');
  };
}

function oddVerdict(
  reader: RequestReader,
  { url, isListed }: { readonly url: string; readonly isListed: boolean },
): Verdict | undefined {
  const odd = oddField(reader);
  if (odd !== undefined) return refused('signature-unreadable', odd);
  if (!url.endsWith('.pem') || !isSnsAddress(url)) {
    return refused('key-not-allowed', 'SigningCertURL does not lead to a certificate');
  }
  return isListed
    ? undefined
    : refused('not-equal', 'it is from a topic that topicArns does not list');
}

const types = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'];

/**
 * Nothing marks where a field ends but a line break. A message of another topic could be read as one
 * of this topic, had another field than its Message line breaks in it, or were its Type any text.
 */
function oddField(reader: RequestReader): string | undefined {
  const odd = signedFields.find(
    (name) => name !== 'Message' && readPlace(place(name), reader)?.includes('\n') === true,
  );
  if (odd !== undefined) return `its ${odd} has a line break`;
  const type = readPlace(place('Type'), reader) ?? '';
  return types.includes(type) ? undefined : 'its Type is none of SNS';
}

const certificate: FetchedKeyDefinition = {
  kind: 'fetched',
  form: 'x509',
  from: place('SigningCertURL'),
  hosts: snsHosts,
  cacheMs: CACHE_MS,
};

/** The signature of one version, as a definition of fields. */
export function snsSignature(
  { timestamp }: SchemeDefinition,
  hash: 'sha1' | 'sha256',
): SignatureDefinition {
  return {
    kind: 'signature',
    algorithm: { family: 'rsa', hash },
    signature: place('Signature'),
    encoding: 'base64',
    prefix: '',
    signs: signedFields.map(lines),
    key: certificate,
    secrets: [],
    equal: [],
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** `Name⏎value⏎`, or nothing where there is no such field. */
function lines(name: string): Template[number] {
  const parts: Template = [
    { kind: 'text', text: `${name}\n` },
    { kind: 'source', source: field(name) },
    { kind: 'text', text: '\n' },
  ];
  return { kind: 'optional', parts };
}

function place(name: string): Place {
  return [field(name)];
}

function field(name: string): Source {
  return { from: 'json', path: [name], text: name };
}
