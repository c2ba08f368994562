// The HTTP layer on a free port over port doubles that a test fills in.

import { createApp } from '../../src/http/app.ts';
import { createMetrics, type Metrics } from '../../src/http/metrics.ts';
import type { HttpPorts } from '../../src/http/ports.ts';
import { type ListeningServer, listen } from '../../src/http/server.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Log } from '../../src/model/log.ts';
import type { Lanes } from '../../src/queue/lanes.ts';

export const adminToken = 'an-admin-token-for-tests';
export const asAdmin = { authorization: `Bearer ${adminToken}` };

export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export interface HttpHub {
  readonly url: string;
  readonly server: ListeningServer;
  readonly metrics: Metrics;
  readonly lines: readonly LogLine[];
}

export interface HubParts extends Omit<Partial<HttpPorts>, 'journal' | 'lanes'> {
  readonly journal?: Partial<Journal>;
  readonly lanes?: Partial<Lanes>;
}

/** A method that a test did not fill in fails the request that calls it. */
export async function startHttp(parts: HubParts = {}): Promise<HttpHub> {
  const lines: LogLine[] = [];
  const metrics = parts.metrics ?? createMetrics();
  const app = createApp({
    laneNames: ['erp'],
    adminToken,
    log: recordingLog(lines),
    ...parts,
    metrics,
    journal: { ...parts.journal } as Journal,
    lanes: { ...parts.lanes } as Lanes,
  });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  return { url: server.url, server, metrics, lines };
}

export function recordingLog(lines: LogLine[]): Log {
  const record = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}
