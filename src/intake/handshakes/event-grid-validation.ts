import { echoable, type Handshake, headerOf, jsonOf, jsonReply } from './handshake.ts';

const VALIDATION = 'Microsoft.EventGrid.SubscriptionValidationEvent';

/** https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema */
export function createEventGridValidation(): Handshake {
  return {
    methods: [],
    after(reader) {
      if (headerOf(reader, 'aeg-event-type') !== 'SubscriptionValidation') return undefined;
      if (jsonOf(reader, 0, 'eventType') !== VALIDATION) return undefined;
      const validationResponse = echoable(jsonOf(reader, 0, 'data', 'validationCode') ?? '');
      return jsonReply({ validationResponse });
    },
  };
}
