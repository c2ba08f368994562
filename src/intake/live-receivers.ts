// The receivers of a hub while it runs. Their secrets may be replaced without a restart; nothing
// else of them may, because routes and flows were made of the files of the start.

import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { createReceivers, type Receiver } from './receiver.ts';
import { type MarkedSecret, markedSecrets } from './secret-uses.ts';
import type { VerifyPorts } from './verify.ts';

export interface LiveReceiver extends Receiver {
  /** By the number that a verdict tells. */
  readonly marks: ReadonlyMap<number, MarkedSecret>;
}

export interface LiveReceivers {
  get(connector: string): LiveReceiver | undefined;
  /**
   * Takes the secrets of `connectors`. Resolves with whose changed, and with who else changed and
   * waits for a restart. Throws `definitions-invalid`, and changes nothing, where one is no key.
   */
  takeSecrets(connectors: ReadonlyMap<string, ConnectorDefinition>): SecretChange;
}

export interface SecretChange {
  readonly rotated: readonly string[];
  /** Connectors whose files say something else than at the start. */
  readonly stale: readonly string[];
}

export function createLiveReceivers(
  connectors: ReadonlyMap<string, ConnectorDefinition>,
  ports: VerifyPorts,
): LiveReceivers {
  const live = marked(createReceivers(connectors, ports));
  return {
    get: (connector) => live.get(connector),
    takeSecrets(newConnectors) {
      const rotated: string[] = [];
      const stale: string[] = [];
      for (const [id, receiver] of marked(createReceivers(newConnectors, ports))) {
        const before = live.get(id);
        if (before === undefined || shapeOf(before.receive) !== shapeOf(receiver.receive)) {
          stale.push(id);
        } else if (JSON.stringify(before.receive) !== JSON.stringify(receiver.receive)) {
          live.set(id, receiver);
          rotated.push(id);
        }
      }
      return { rotated, stale };
    },
  };
}

function marked(receivers: ReadonlyMap<string, Receiver>): Map<string, LiveReceiver> {
  return new Map(
    [...receivers].map(([id, receiver]) => [
      id,
      { ...receiver, marks: markedSecrets(id, receiver.receive.verify) },
    ]),
  );
}

/** All that is not a secret. */
function shapeOf(receive: ReceiveDefinition): string {
  return JSON.stringify(receive, (key, value: unknown) => (key === 'secrets' ? undefined : value));
}
