import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import { createHandshakes, type Handshakes } from './handshakes.ts';
import { createVerifier, type Verifier, type VerifyPorts } from './verify.ts';
import { credentialHeaders } from './ways.ts';

/** A connector that takes webhooks, ready for requests. */
export interface Receiver {
  readonly receive: ReceiveDefinition;
  readonly verifier: Verifier;
  readonly handshakes: Handshakes;
  /** Headers that no event keeps. */
  readonly unkeptHeaders: ReadonlySet<string>;
}

/** What identifies a person or a session at the sender. */
const personalHeaders = ['authorization', 'cookie', 'proxy-authorization'];

/** Throws an Error that says, without the secret, why a secret is no key. */
export function createReceiver(receive: ReceiveDefinition, ports: VerifyPorts): Receiver {
  const verifier = createVerifier(receive.verify ?? { kind: 'any', of: [] }, ports);
  const unkeptHeaders = new Set([...personalHeaders, ...credentialHeaders(receive.verify)]);
  return { receive, verifier, handshakes: createHandshakes(receive), unkeptHeaders };
}

/** By connector, those that take webhooks. Throws `definitions-invalid` where a secret is no key. */
export function createReceivers(
  connectors: ReadonlyMap<string, ConnectorDefinition>,
  ports: VerifyPorts,
): ReadonlyMap<string, Receiver> {
  const receivers = new Map<string, Receiver>();
  for (const { id, receive } of connectors.values()) {
    if (receive?.verify === undefined) continue;
    try {
      receivers.set(id, createReceiver(receive, ports));
    } catch (error) {
      throw noKey(id, error);
    }
  }
  return receivers;
}

function noKey(id: string, cause: unknown): CrossdockError {
  const reason = cause instanceof Error ? cause.message : 'a secret is no key';
  return new CrossdockError('definitions-invalid', `connector ${id}: ${reason}`, { cause });
}
