// What Prometheus reads. Labels are ids from files, states and statuses, never values from messages.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Meter } from '../model/meter.ts';

export interface Metrics {
  readonly meter: Meter;
  readonly registry: Registry;
}

const intakeBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
const attemptBucketsSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60];
const mappingBucketsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Each call has a registry of its own, so that two hubs in one process stay apart. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    meter: { ...intakeMeter(registry), ...deliveryMeter(registry), ...clockMeter(registry) },
  };
}

type IntakeMeasures = 'intake' | 'duplicate' | 'conflict' | 'keyFetch' | 'quarantine';

function intakeMeter(registry: Registry): Pick<Meter, IntakeMeasures> {
  const registers = [registry];
  const requests = new Counter({
    name: 'crossdock_intake_requests_total',
    help: 'Requests to /webhooks by connector and status.',
    labelNames: ['source', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'crossdock_intake_duration_seconds',
    help: 'From the request line to the answer.',
    labelNames: ['source'],
    buckets: intakeBucketsSeconds,
    registers,
  });
  const duplicates = new Counter({
    name: 'crossdock_intake_duplicates_total',
    help: 'Messages that had come before.',
    labelNames: ['source'],
    registers,
  });
  const keyFetches = new Counter({
    name: 'crossdock_key_fetches_total',
    help: 'Fetches of keys that vendors publish, by what they came to.',
    labelNames: ['result'],
    registers,
  });
  const quarantined = new Counter({
    name: 'crossdock_quarantine_total',
    help: 'Requests that failed verification, by what became of them.',
    labelNames: ['source', 'what'],
    registers,
  });
  const conflicts = new Counter({
    name: 'crossdock_conflicts_total',
    help: 'Messages that had come before with another body.',
    labelNames: ['source'],
    registers,
  });
  return {
    keyFetch: (result) => keyFetches.inc({ result }),
    intake: (source, status, ms) => {
      requests.inc({ source, status });
      duration.observe({ source }, ms / 1_000);
    },
    duplicate: (source) => duplicates.inc({ source }),
    quarantine: (source, what, count) => quarantined.inc({ source, what }, count),
    conflict: (source) => conflicts.inc({ source }),
  };
}

function clockMeter(registry: Registry): Pick<Meter, 'clockAhead'> {
  const ahead = new Gauge({
    name: 'crossdock_clock_ahead_seconds',
    help: "How far this machine's clock is ahead of the database's.",
    registers: [registry],
  });
  return { clockAhead: (ms) => ahead.set(ms / 1_000) };
}

function deliveryMeter(registry: Registry): Omit<Meter, IntakeMeasures | 'clockAhead'> {
  const registers = [registry];
  const deliveries = new Counter({
    name: 'crossdock_deliveries_total',
    help: 'Deliveries by the state that an attempt or a decision left them in.',
    labelNames: ['connector', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'crossdock_attempt_duration_seconds',
    help: 'How long calls to the outside system took.',
    labelNames: ['connector'],
    buckets: attemptBucketsSeconds,
    registers,
  });
  const handedBack = new Counter({
    name: 'crossdock_handed_back_total',
    help: "Deliveries handed back for errors of the hub's own.",
    labelNames: ['connector'],
    registers,
  });
  const mappings = new Histogram({
    name: 'crossdock_mapping_duration_seconds',
    help: 'Evaluations by what they came to.',
    labelNames: ['kind'],
    buckets: mappingBucketsSeconds,
    registers,
  });
  const batches = new Histogram({
    name: 'crossdock_journal_batch_size',
    help: 'Rows that one statement wrote or read.',
    labelNames: ['kind'],
    buckets: batchBuckets,
    registers,
  });
  const swept = new Counter({
    name: 'crossdock_swept_total',
    help: 'Lane jobs that the sweep put back.',
    labelNames: ['connector'],
    registers,
  });
  return {
    attempt: (connector, outcome, callMs) => {
      deliveries.inc({ connector, outcome });
      if (callMs !== undefined) duration.observe({ connector }, callMs / 1_000);
    },
    handedBack: (connector) => handedBack.inc({ connector }),
    mapping: (kind, ms) => mappings.observe({ kind }, ms / 1_000),
    batch: (kind, size) => batches.observe({ kind }, size),
    swept: (connector, count) => swept.inc({ connector }, count),
  };
}
