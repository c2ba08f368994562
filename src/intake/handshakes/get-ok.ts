import { type Handshake, textReply } from './handshake.ts';

/** Mailchimp, Intercom and others look whether the address answers before they take it. */
export function createGetOk(): Handshake {
  return {
    methods: ['GET', 'HEAD'],
    before({ request: { method } }) {
      return method === 'GET' || method === 'HEAD' ? textReply() : undefined;
    },
  };
}
