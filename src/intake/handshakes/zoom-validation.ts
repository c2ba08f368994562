import { createHmac } from 'node:crypto';
import type { HandshakeDefinition, ReceiveDefinition } from '../../definitions/receive.ts';
import { secretsOf } from '../secret-uses.ts';
import { type Handshake, jsonOf, jsonReply, signable } from './handshake.ts';

/**
 * https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
 *
 * Answered with the secret that the question was signed with, so that it fits during a rotation too.
 */
export function createZoomValidation(
  _definition: HandshakeDefinition,
  { verify }: ReceiveDefinition,
): Handshake {
  const secrets = secretsOf(verify);
  return {
    methods: [],
    after(reader, number = 0) {
      if (!reader.request.body.includes('endpoint.url_validation')) return undefined;
      if (jsonOf(reader, 'event') !== 'endpoint.url_validation') return undefined;
      const secret = secrets[number - 1];
      if (secret === undefined) return undefined;
      const plainToken = signable(jsonOf(reader, 'payload', 'plainToken') ?? '');
      const encryptedToken = createHmac('sha256', secret.value).update(plainToken).digest('hex');
      return jsonReply({ plainToken, encryptedToken });
    },
  };
}
