// A sender with an HMAC, written from its documentation and not with our own code.

import { createHmac } from 'node:crypto';
import type { JsonObject } from '../../src/model/json.ts';
import type { AttackScheme, Signing } from './attack-table.ts';

export interface HmacSender {
  readonly name: string;
  readonly verify: JsonObject & { readonly hmac: string; readonly encoding: string };
  readonly body: string;
  /** What is signed. @default the body */
  readonly signed?: (signing: Signing) => string;
  /** Headers of one request. */
  readonly headers: (signature: string, signing: Signing) => Readonly<Record<string, string>>;
  readonly url?: string;
}

export function hmacScheme(sender: HmacSender): AttackScheme {
  const { name, verify, body, signed = ({ body: whole }) => whole, headers, url } = sender;
  const encoding = verify.encoding as 'hex' | 'base64' | 'base64url';
  return {
    name,
    fields: { verify, ...(url === undefined ? {} : { url }) },
    body,
    sign(signing) {
      const hmac = createHmac(verify.hmac, signing.secret).update(signed(signing));
      return { headers: headers(hmac.digest(encoding), signing), body: signing.body };
    },
  };
}
