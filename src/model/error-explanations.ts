// What each error of the hub means and what to do about it, for `crossdock explain`. docs/errors.md
// says the same; a test holds them equal.

import type { ErrorCode } from './errors.ts';

/** What a code means, and what the person who meets it does about it. */
export interface Explanation {
  readonly meaning: string;
  readonly todo: string;
}

export const errorExplanations: Readonly<Record<ErrorCode, Explanation>> = {
  usage: {
    meaning:
      'A command was called in a way it does not know: an unknown option, an id that is none, a file that cannot be read, or `send` for a connector that has no secret.',
    todo: "See the command's `--help`.",
  },
  'configuration-invalid': {
    meaning:
      "An environment variable of the hub has a value it cannot use, the project's `.env` cannot be read, the admin token cannot be kept in the data folder, or `HOST` names an address that this machine cannot listen on. All wrong values are named at once.",
    todo: 'Correct what is named; operating.md lists them.',
  },
  'definitions-invalid': {
    meaning:
      'The files in `connectors/`, `flows/`, `mappings/` or `schemas/` have errors, so the hub does not start.',
    todo: 'The list is on standard error, and `crossdock check` prints it again; the tables below explain each code. Where variables are not set, copy `.env.example` to `.env` and fill it in.',
  },
  'port-taken': {
    meaning: 'Another program listens on `HOST` and `PORT`.',
    todo: 'Set `PORT` to a free port, or stop that program.',
  },
  'journal-unavailable': {
    meaning:
      'PostgreSQL cannot be reached, refuses the connection, or did not answer in time (2 s for an incoming webhook). The sender is told to come again; nothing was acknowledged.',
    todo: 'Check that the database runs, `DATABASE_URL`, its disk and its number of connections. It mends itself when the database is back.',
  },
  'journal-not-durable': {
    meaning:
      'PostgreSQL runs with `fsync=off` or `synchronous_commit=off`, so that it could lose what it has acknowledged. The hub refuses to start on it.',
    todo: 'Turn both on for this database and role.',
  },
  'journal-too-new': {
    meaning:
      'The tables were migrated by a newer version of Crossdock that changed what this one uses, or an applied migration file was changed.',
    todo: 'Start the version that migrated them, or a newer one.',
  },
  'lanes-unavailable': {
    meaning:
      'Redis, or PostgreSQL where the lanes live there, did not answer in time. Webhooks are still taken; deliveries wait.',
    todo: 'Check `REDIS_URL` and that Redis runs. The sweep puts waiting deliveries back by itself afterwards.',
  },
  'embedded-server-failed': {
    meaning:
      'The embedded PostgreSQL could not be started: its package is missing, the data folder cannot be used, its data belong to somebody else or to another major version. The message says which.',
    todo: "Do what the message says: where the data folder is the trouble (the project's folder may be read-only), name another one with `CROSSDOCK_DATA_DIR`. Or set `DATABASE_URL` to a PostgreSQL of your own.",
  },
  'hub-unreachable': {
    meaning: '`crossdock send` got no answer from the hub.',
    todo: 'Start the hub, or name its address with `--url`.',
  },
  'connector-unknown': {
    meaning:
      'No connector of this name receives webhooks: there is no such file, or it has no `receive`.',
    todo: 'Compare the address with the file names in `connectors/`.',
  },
  'signature-invalid': {
    meaning: "The request's signature is missing or fits none of the connector's secrets.",
    todo: "Compare the secret with the sender's; during a rotation list both in `receive.secrets`. A proxy that changes bodies breaks every signature.",
  },
  'key-unavailable': {
    meaning:
      'The public key that a webhook is verified with could not be fetched from its vendor in time (1 s), or what lies there is no key that is valid now. The sender is told to come again; nothing was taken.',
    todo: "The log says why. Check that the hub reaches the vendor's host by https, its names and certificates; no proxy is used.",
  },
  'body-too-large': {
    meaning:
      "The body is larger than the connector's `receive.bodyMax`, as sent or decompressed, or is a list of more events than its `receive.eventsMax`.",
    todo: 'Raise `bodyMax` (at most `10mb`), or have the sender send less.',
  },
  'encoding-unsupported': {
    meaning:
      'The request has a `Content-Encoding` other than gzip, deflate and br, or several of them.',
    todo: 'Have the sender send the body as it is, or with one of these.',
  },
  'request-malformed': {
    meaning:
      'The body is not what its `Content-Encoding` says, or is cut off; or the request cannot be read; over the API, a field has a value that it cannot have. With status 405: webhooks are sent with POST or PUT only.',
    todo: "Compare the request with the connector's `receive`; over the API the answer names the field.",
  },
  'not-signed-in': {
    meaning: 'The page or route needs the admin token, and there is none or a wrong one.',
    todo: 'Sign in at `/sign-in`, or send `Authorization: Bearer <token>`.',
  },
  'cross-site-request': {
    meaning:
      "A changing request did not come from the hub's own pages, or its body is not JSON. This is what protects a signed-in browser.",
    todo: 'Use the pages, or send the token in a header and no cookie. A proxy must keep `Host` as the browser sent it.',
  },
  'too-many-tries': {
    meaning:
      '20 wrong tokens came from one address within 15 minutes; right ones are refused for that time too.',
    todo: 'Wait as long as `Retry-After` says.',
  },
  'too-many-refused': {
    meaning:
      'More than 60 requests of this address failed verification within a minute. Its good ones are still taken; the bad ones are neither kept nor logged.',
    todo: 'See `crossdock quarantine list` for what is wrong with them. Where all senders seem to have one address, name the proxies that are trusted.',
  },
  'not-found': {
    meaning:
      'There is no such event, delivery, problem, replay or page; old events are deleted by the retention.',
    todo: 'Check the id; `crossdock events` lists what there is.',
  },
  'state-conflict': {
    meaning:
      'The delivery is in a state in which this cannot be done, such as retrying one that is delivered.',
    todo: 'Look at it first: `crossdock deliveries <id>`.',
  },
  overloaded: {
    meaning:
      "More is waiting than the hub's limits allow, before the journal, before the mapping processes, or in the memory for request bodies (64 MiB in one process). Deliveries that meet it are handed back and lose no attempt.",
    todo: 'Nothing, if it passes. Otherwise add processes, or look for a slow database or a slow mapping.',
  },
  closing: {
    meaning: 'The hub is leaving.',
    todo: 'Try again when it is back.',
  },
};
