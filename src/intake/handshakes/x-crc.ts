import { createHmac } from 'node:crypto';
import type { HandshakeDefinition, ReceiveDefinition } from '../../definitions/receive.ts';
import { isHmac, signsBodyOnly, waysOf } from '../../definitions/ways.ts';
import {
  type Handshake,
  isToken,
  jsonReply,
  queryOf,
  refusedReply,
  signable,
  TOKEN_CHARACTERS_MAX,
} from './handshake.ts';

/**
 * https://docs.x.com/x-api/webhooks/quickstart
 *
 * X asks without proving who it is, and what it wants signed is signed as its webhooks are. So only
 * tokens are signed, and only where a webhook's signature is over its whole body; and no webhook is
 * taken whose body could be a token: anybody could have had it signed.
 */
export function createXCrc(
  _definition: HandshakeDefinition,
  receive: ReceiveDefinition,
): Handshake {
  const ways = waysOf(receive.verify);
  const isSafe = signsBodyOnly(ways);
  const secrets = ways.filter(isHmac).flatMap((way) => way.secrets);
  return {
    methods: ['GET'],
    signsForStrangers: true,
    before(reader) {
      if (reader.request.method !== 'GET') return undefined;
      const given = queryOf(reader, 'crc_token');
      if (given === undefined || !isSafe) return undefined;
      const nowMs = Date.now();
      const secret = secrets.find(({ notAfterMs = nowMs }) => notAfterMs >= nowMs);
      if (secret === undefined) return refusedReply('secret-expired', 'every secret has ended');
      const hmac = createHmac('sha256', secret.value).update(signable(given)).digest('base64');
      return jsonReply({ response_token: `sha256=${hmac}` });
    },
    after({ request: { body } }) {
      if (body.length > TOKEN_CHARACTERS_MAX || !isToken(body.toString('latin1'))) return undefined;
      const reason = 'its body is a mere token, which anybody can have signed by the challenge';
      return refusedReply('signature-wrong', reason);
    },
  };
}
