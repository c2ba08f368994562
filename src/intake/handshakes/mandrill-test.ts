import type { SignatureDefinition } from '../../definitions/receive.ts';
import { secretKeys } from '../secret-keys.ts';
import { checkSignature } from '../signature.ts';
import { type Handshake, textReply } from './handshake.ts';

/** The key that everybody's webhooks are tested with, before they have one of their own. */
const TEST_KEY = 'test-webhook';
/** `mandrill_events=%5B%5D`. */
const TEST_BYTES_MAX = 64;

const definition: SignatureDefinition = {
  kind: 'signature',
  algorithm: { family: 'hmac', hash: 'sha1' },
  signature: [{ from: 'header', name: 'x-mandrill-signature' }],
  encoding: 'base64',
  prefix: '',
  signs: [
    { kind: 'token', token: 'url' },
    { kind: 'token', token: 'form.sorted' },
  ],
  key: { kind: 'text' },
  secrets: [{ value: TEST_KEY }],
  equal: [],
};

/**
 * https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/
 *
 * Proves nothing, since everybody has the key; that it fits shows that the address is the right one.
 */
export function createMandrillTest(): Handshake {
  const keys = secretKeys(definition.secrets, 'text', 'hmac');
  return {
    methods: ['HEAD'],
    before(reader) {
      const { method, body } = reader.request;
      if (method === 'HEAD') return textReply();
      if (method !== 'POST' || body.length > TEST_BYTES_MAX) return undefined;
      if (reader.read({ from: 'form', name: 'mandrill_events' }) !== '[]') return undefined;
      const verdict = checkSignature({ definition, keys }, reader, Date.now());
      return verdict.kind === 'authentic' ? textReply() : undefined;
    },
  };
}
