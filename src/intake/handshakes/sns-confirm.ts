import { vendorAddress } from '../key-address.ts';
import { isSnsAddress, snsHosts } from '../scheme-sns.ts';
import { type Handshake, jsonOf, refusedReply, textReply } from './handshake.ts';

/**
 * https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
 *
 * The address that confirms is signed with the rest, and must lead to Amazon all the same. That a
 * subscription has ended (UnsubscribeConfirmation) is an event like any other.
 */
export function createSnsConfirm(): Handshake {
  return {
    methods: [],
    after(reader) {
      if (!reader.request.body.includes('SubscriptionConfirmation')) return undefined;
      if (jsonOf(reader, 'Type') !== 'SubscriptionConfirmation') return undefined;
      const address = jsonOf(reader, 'SubscribeURL') ?? '';
      const confirm = isSnsAddress(address) ? vendorAddress(address, snsHosts) : undefined;
      if (confirm?.searchParams.get('Action') !== 'ConfirmSubscription') {
        return refusedReply('not-equal', 'its SubscribeURL does not lead to SNS');
      }
      return { ...textReply(), confirm };
    },
  };
}
