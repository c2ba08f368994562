/** What a handshake asks of the rest of `receive:`. */
export type HandshakeNeed = 'body-hmac' | 'hmac' | 'sns' | 'url';

export interface HandshakeOption {
  readonly description: string;
  readonly required: boolean;
  /** Stands in a variable, and is shown nowhere. */
  readonly secret: boolean;
  /** What its text looks like, as a regular expression. */
  readonly pattern: string;
  readonly examples: readonly string[];
}

export interface HandshakeShape {
  readonly description: string;
  readonly needs?: HandshakeNeed;
  readonly options: Readonly<Record<string, HandshakeOption>>;
}

/** Every handshake by its name; `intake/handshakes.ts` has how each is answered. */
export const handshakeShapes = {
  'slack-challenge': {
    description: "Slack's url_verification, once its signature fits: the challenge.",
    options: {},
  },
  'meta-challenge': {
    description: "Meta's GET with hub.mode=subscribe: hub.challenge, where the verify token fits.",
    options: {
      token: {
        description: 'The verify token that is typed at Meta beside the address.',
        required: true,
        secret: true,
        pattern: '.',
        examples: [`\${META_VERIFY_TOKEN}`],
      },
    },
  },
  'x-crc': {
    description: "X's GET with crc_token: its HMAC with the first secret that has not ended.",
    needs: 'body-hmac',
    options: {},
  },
  'zoom-validation': {
    description: "Zoom's endpoint.url_validation, once its signature fits: the token and its HMAC.",
    needs: 'hmac',
    options: {},
  },
  'validation-token': {
    description: "Microsoft's GET or POST with ?validationToken=: the token, as text.",
    options: {},
  },
  'event-grid-validation': {
    description: "Event Grid's SubscriptionValidationEvent, once it is verified: its code.",
    options: {},
  },
  'cloudevents-options': {
    description: 'OPTIONS with WebHook-Request-Origin: that this origin may send, and how much.',
    options: {
      origins: {
        description:
          'The origins that may send, with blanks between them, or * for any. Default: *.',
        required: false,
        secret: false,
        pattern: '^(\\*|[A-Za-z0-9.-]+( +[A-Za-z0-9.-]+)*)$',
        examples: ['eventgrid.azure.net'],
      },
      rate: {
        description:
          'Requests that an origin may send in a minute, or * for any number. Default: *.',
        required: false,
        secret: false,
        pattern: '^(\\*|[1-9][0-9]{0,8})$',
        examples: ['600'],
      },
    },
  },
  'sns-confirm': {
    description: "SNS's SubscriptionConfirmation, once its signature fits: confirmed at Amazon.",
    needs: 'sns',
    options: {},
  },
  'adobe-challenge': {
    description:
      "Adobe's GET with challenge: the challenge. Its POST with a validationUrl: a GET of it.",
    options: {},
  },
  'woocommerce-ping': {
    description: "WooCommerce's unsigned ping when a webhook is saved: 200.",
    options: {},
  },
  'mandrill-test': {
    description: "Mandrill's HEAD, and its empty batch signed with its test key: 200.",
    needs: 'url',
    options: {},
  },
  'get-ok': {
    description: 'GET and HEAD that only look whether somebody is there: 200.',
    options: {},
  },
} as const satisfies Readonly<Record<string, HandshakeShape>>;

export type HandshakeName = keyof typeof handshakeShapes;

export const handshakeNames = Object.keys(handshakeShapes) as readonly HandshakeName[];

export function handshakeShape(name: string): HandshakeShape | undefined {
  return Object.hasOwn(handshakeShapes, name) ? handshakeShapes[name as HandshakeName] : undefined;
}
