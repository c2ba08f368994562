// What the pool has learnt about programs: what they cost, and which may not run among the others.

/** Programs that are remembered; a forgotten suspect has to show itself again. */
const RECORDS_MAX = 2_000;

/** Processor time of one evaluation from which on a program has the suspect child to itself. */
const SLOW_MS = 150;

/** Quick evaluations in a row after which a suspect is trusted again. */
const SUSPECT_GOOD_RUNS = 20;

/** What a program nobody has seen yet is expected to cost, in milliseconds. */
const UNKNOWN_MS = 4;

/** Weight of the latest evaluation in what the next one is expected to cost. */
const LATEST_WEIGHT = 0.2;

export interface ProgramRecord {
  expectedMs: number;
  isSuspect: boolean;
  /** Quick evaluations in a row since it became suspect. */
  goodRuns: number;
}

export function createProgramRecords() {
  const records = new Map<string, ProgramRecord>();
  return {
    of: (programId: string): ProgramRecord => {
      const known = records.get(programId);
      if (known !== undefined) return known;
      const record = { expectedMs: UNKNOWN_MS, isSuspect: false, goodRuns: 0 };
      if (records.size >= RECORDS_MAX) records.delete(records.keys().next().value ?? '');
      records.set(programId, record);
      return record;
    },
  };
}

export function suspect(record: ProgramRecord): void {
  record.isSuspect = true;
  record.goodRuns = 0;
}

/** @param cpuMs processor time, so that a starved machine makes no suspects. */
export function noteRun(record: ProgramRecord, cpuMs: number, timedOut: boolean): void {
  record.expectedMs += (cpuMs - record.expectedMs) * LATEST_WEIGHT;
  if (timedOut || cpuMs > SLOW_MS) {
    suspect(record);
  } else if (record.isSuspect) {
    record.goodRuns += 1;
    record.isSuspect = record.goodRuns < SUSPECT_GOOD_RUNS;
  }
}
