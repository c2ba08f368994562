import { vendorAddress } from '../key-address.ts';
import {
  echoable,
  type Handshake,
  type HandshakeReply,
  queryOf,
  refusedReply,
  textReply,
} from './handshake.ts';

const hosts = ['*.adobe.io'];
/** Of the body that holds nothing but an address. */
const BODY_BYTES_MAX = 4_096;

/**
 * https://developer.adobe.com/events/docs/guides/#the-challenge-request
 *
 * Both ways are unsigned. Adobe asks the second one where the first was not answered.
 */
export function createAdobeChallenge(): Handshake {
  return {
    methods: ['GET'],
    before(reader) {
      const { method, body } = reader.request;
      if (method === 'POST') return confirmed(body);
      const challenge = method === 'GET' ? queryOf(reader, 'challenge') : undefined;
      return challenge === undefined ? undefined : textReply(echoable(challenge));
    },
  };
}

function confirmed(body: Buffer): HandshakeReply | undefined {
  const address = addressIn(body);
  if (address === undefined) return undefined;
  const confirm = vendorAddress(address, hosts);
  if (confirm === undefined || !confirm.pathname.endsWith('/validate')) {
    return refusedReply('not-equal', 'its validationUrl does not lead to Adobe');
  }
  return { ...textReply(), confirm };
}

function addressIn(body: Buffer): string | undefined {
  if (body.length > BODY_BYTES_MAX || !body.includes('"validationUrl"')) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== 'object' || value === null) return undefined;
    const entries: readonly [string, unknown][] = Object.entries(value);
    const [[name, address] = []] = entries;
    const isAlone = entries.length === 1 && name === 'validationUrl';
    return isAlone && typeof address === 'string' ? address : undefined;
  } catch {
    // No JSON: an ordinary request that verification looks at.
    return undefined;
  }
}
