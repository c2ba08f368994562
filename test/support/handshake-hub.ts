// The HTTP layer over a real intake for entries of the catalogue, each under its own name; events are
// kept in memory, and every name of https leads to one server of the test.

import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { createConfirmations } from '../../src/intake/confirmations.ts';
import { createIntake, type Intake } from '../../src/intake/intake.ts';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { createRefusals } from '../../src/intake/refusals.ts';
import type { Appended, NewEvent } from '../../src/journal/journal.ts';
import { loadEntry } from './catalogue-entry.ts';
import { type HttpHub, type LogLine, recordingLog, startHttp } from './http-hub.ts';
import { agentTo, type KeyServer, keysFrom, startKeyServer } from './key-server.ts';

export interface HandshakeHub {
  readonly hub: HttpHub;
  readonly intake: Intake;
  /** Stands for the vendors' hosts. */
  readonly vendor: KeyServer;
  readonly events: readonly NewEvent[];
  /** Codes of the requests that went to the quarantine. */
  readonly kept: readonly string[];
  readonly lines: readonly LogLine[];
  close(): Promise<void>;
}

/** By the entry's name, its secret; `undefined` where nothing is shared. */
export async function startHandshakeHub(
  entries: Readonly<Record<string, string | undefined>>,
): Promise<HandshakeHub> {
  const vendor = await startKeyServer();
  const connectors = new Map<string, ConnectorDefinition>();
  for (const [id, secret] of Object.entries(entries)) {
    connectors.set(id, { ...(await loadEntry(id, secret)), id });
  }
  const events: NewEvent[] = [];
  const kept: string[] = [];
  const lines: LogLine[] = [];
  const log = recordingLog(lines);
  const metrics = createMetrics();
  const { meter } = metrics;
  // The certificate of the tests does not name every host that is confirmed.
  const agent = agentTo(vendor.port);
  agent.options.checkServerIdentity = () => undefined;
  const confirmations = createConfirmations({ log, agent, restsMs: [10, 10, 10] });
  const intake = createIntake({
    ...{ log, meter, confirmations },
    receivers: createLiveReceivers(connectors, { keys: keysFrom(vendor.agent) }),
    secrets: { matched: () => undefined },
    refusals: createRefusals({
      meter,
      quarantine: {
        keep: (_received, { code }) => void kept.push(code),
        close: async () => undefined,
      },
    }),
    routes: { route: () => [] },
    journal: memoryJournal(events) as never,
    lanes: {} as never,
  });
  const hub = await startHttp({ intake, metrics, trustedProxies: ['127.0.0.0/8'] });
  return {
    ...{ hub, intake, vendor, events, kept, lines },
    async close() {
      await hub.server.close(1_000);
      await confirmations.close();
      agent.destroy();
      await vendor.close();
    },
  };
}

function memoryJournal(events: NewEvent[]) {
  const appendOne = (event: NewEvent): Appended => {
    const first = events.find(
      ({ source, dedupeKey }) => source === event.source && dedupeKey === event.dedupeKey,
    );
    if (first !== undefined) return { kind: 'duplicate', id: first.id, sameBody: true };
    events.push(event);
    return { kind: 'stored', id: event.id };
  };
  return {
    append: async (event: NewEvent) => appendOne(event),
    appendTogether: async (list: readonly NewEvent[]) => list.map(appendOne),
  };
}
