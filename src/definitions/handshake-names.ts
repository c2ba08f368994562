/** What each handshake answers, and the options that it needs. */
export const handshakeNames = {
  'adobe-challenge': { answers: 'GET ?challenge= of Adobe I/O', needs: [] },
  'cloudevents-options': { answers: 'OPTIONS of CloudEvents and Event Grid', needs: [] },
  'event-grid-validation': { answers: 'SubscriptionValidation of Event Grid', needs: [] },
  'get-ok': {
    answers: 'GET and HEAD of vendors that only look whether somebody is there',
    needs: [],
  },
  'mandrill-test': {
    answers: 'HEAD, and the test that Mandrill signs with its test key',
    needs: [],
  },
  'meta-challenge': { answers: 'GET ?hub.challenge= of Meta', needs: ['token'] },
  'slack-challenge': { answers: 'url_verification of Slack', needs: [] },
  'sns-confirm': { answers: 'SubscriptionConfirmation of SNS', needs: [] },
  'validation-token': { answers: '?validationToken= of Microsoft', needs: [] },
  'woocommerce-ping': { answers: 'the unsigned ping of WooCommerce', needs: [] },
  'x-crc': { answers: 'GET ?crc_token= of X', needs: [] },
  'zoom-validation': { answers: 'endpoint.url_validation of Zoom', needs: [] },
} as const satisfies Readonly<
  Record<string, { readonly answers: string; readonly needs: readonly string[] }>
>;

export type HandshakeName = keyof typeof handshakeNames;

export function isHandshake(name: string): name is HandshakeName {
  return Object.hasOwn(handshakeNames, name);
}
