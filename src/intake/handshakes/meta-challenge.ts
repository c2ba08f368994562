import type { HandshakeDefinition } from '../../definitions/receive.ts';
import { isSameText } from '../same-text.ts';
import { echoable, type Handshake, queryOf, refusedReply, textReply } from './handshake.ts';

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests */
export function createMetaChallenge({ options }: HandshakeDefinition): Handshake {
  const { token: expected = '' } = options;
  return {
    methods: ['GET'],
    before(reader) {
      if (reader.request.method !== 'GET') return undefined;
      if (queryOf(reader, 'hub.mode') !== 'subscribe') return undefined;
      const token = queryOf(reader, 'hub.verify_token');
      if (token === undefined) {
        return refusedReply('credentials-missing', 'there is no hub.verify_token');
      }
      if (expected === '' || !isSameText(token, expected)) {
        return refusedReply('credentials-wrong', 'the verify token is another one');
      }
      return textReply(echoable(queryOf(reader, 'hub.challenge') ?? ''));
    },
  };
}
