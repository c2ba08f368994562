import { type Handshake, headerOf, textReply } from './handshake.ts';

/** `webhook_id=7`: the longest number that WordPress has for a post. */
const ping = /^webhook_id=[0-9]{1,20}$/;
const PING_BYTES_MAX = 31;

/** https://github.com/woocommerce/woocommerce, class-wc-webhook.php, deliver_ping */
export function createWoocommercePing(): Handshake {
  return {
    methods: [],
    before(reader) {
      const { method, body } = reader.request;
      if (method !== 'POST' || body.length > PING_BYTES_MAX) return undefined;
      if (!ping.test(body.toString('latin1'))) return undefined;
      // A signed body is no ping, whatever it holds.
      return headerOf(reader, 'x-wc-webhook-signature') === undefined ? textReply() : undefined;
    },
  };
}
