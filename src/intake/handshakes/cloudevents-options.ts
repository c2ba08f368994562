import type { HandshakeDefinition } from '../../definitions/receive.ts';
import { CrossdockError } from '../../model/errors.ts';
import { type Handshake, headerOf, refusedReply, textReply } from './handshake.ts';

/** The longest name of a host (RFC 1035 §2.3.4). */
const ORIGIN_CHARACTERS_MAX = 253;

/**
 * https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md#4-abuse-protection
 *
 * It says that somebody here wants these webhooks, and proves nothing about who sends them. A
 * WebHook-Request-Callback is an address of the sender's choice and is never called.
 */
export function createCloudEventsOptions({ options }: HandshakeDefinition): Handshake {
  const { origins = '*', rate = '*' } = options;
  const allowed = new Set(origins.toLowerCase().split(' '));
  return {
    methods: ['OPTIONS'],
    before(reader) {
      if (reader.request.method !== 'OPTIONS') return undefined;
      const origin = headerOf(reader, 'webhook-request-origin');
      if (origin === undefined) return undefined;
      if (origin.length > ORIGIN_CHARACTERS_MAX || !/^[A-Za-z0-9.:-]+$/.test(origin)) {
        throw new CrossdockError(
          'request-malformed',
          'WebHook-Request-Origin is no name of a host',
        );
      }
      if (!allowed.has('*') && !allowed.has(origin.toLowerCase())) {
        return refusedReply('address-not-listed', 'its origin is none that may send');
      }
      const headers = {
        allow: 'POST, PUT',
        'webhook-allowed-origin': origin,
        'webhook-allowed-rate': rate,
      };
      return { ...textReply(), headers };
    },
  };
}
