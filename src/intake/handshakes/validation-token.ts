import { echoable, type Handshake, queryOf, textReply } from './handshake.ts';

/**
 * Microsoft Graph and Business Central ask when a subscription is made or renewed, and do not say
 * with which method in all their pages.
 * https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
 * https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/dynamics-subscriptions
 */
export function createValidationToken(): Handshake {
  return {
    methods: ['GET'],
    before(reader) {
      if (!/[?&]validationToken=/.test(reader.request.target)) return undefined;
      return textReply(echoable(queryOf(reader, 'validationToken') ?? ''));
    },
  };
}
