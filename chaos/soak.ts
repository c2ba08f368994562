// `--soak`: one rig for a long time, a random fault every 20 s, one judgement at the end.

import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './checker.ts';
import type { Random } from './random.ts';
import type { Rig } from './rig.ts';
import { nameOf, type Scenario } from './scenario.ts';
import type { Story } from './stories.ts';

const FAULT_EVERY_MS = 20_000;
/** One fault may be several kills. */
const HITS_PER_FAULT_MAX = 4;
/** A delivery that was under way when a fault began may have been sent this long before. */
const LEASE_MS = 12_000;
/** A process may hold this many more files than when it was idle at the start. */
const FILES_MORE_MAX = 40;

interface Window {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** `faults` are those that may come at any moment. */
export function createSoak(ms: number, faults: readonly Scenario[]): Scenario {
  const windows: Window[] = [];
  const baseline = new Map<string, number>();
  return {
    id: 'soak',
    title: `a random fault every ${FAULT_EVERY_MS / 1_000} s for ${Math.round(ms / 60_000)} min`,
    promise: 'as in each scenario by itself',
    lanes: ['redis', 'postgres'],
    rig: { intakes: 2, ownPostgres: true, redisProxy: true },
    load: {
      ratePerSecond: 20,
      keys: 50,
      afterMs: 5_000,
      faultMessagesMax: Number.MAX_SAFE_INTEGER,
    },
    expect: { duplicates: { faults: (story) => hitsOf(story, windows) } },
    async prepare(rig) {
      for (const hub of rig.hubs) baseline.set(hub.name, await openFiles(hub.pid));
    },
    async fault(rig, random) {
      const possible = faults.filter(({ lanes }) => lanes.includes(rig.lanes));
      const endMs = Date.now() + ms;
      while (Date.now() < endMs) {
        const fromMs = Date.now();
        await breakSomething(rig, random, random.pick(possible));
        windows.push({ fromMs, untilMs: Date.now() });
        await sleep(Math.max(2_000, fromMs + FAULT_EVERY_MS - Date.now()));
      }
      await Promise.all(rig.hubs.map((hub) => hub.ready()));
    },
    check: (rig) => findOpenFiles(rig, baseline),
  };
}

async function breakSomething(rig: Rig, random: Random, fault: Scenario): Promise<void> {
  rig.note(`${nameOf(fault)}: ${fault.title}`);
  console.error(`  soak: ${nameOf(fault)} ${fault.title}`);
  await fault.fault(rig, random);
}

/** The faults that were on while the message was on its way. */
function hitsOf({ message, deliveries }: Story, windows: readonly Window[]): number {
  const sentMs = message.tries[0]?.atMs ?? 0;
  const doneMs = deliveries[0]?.updatedMs ?? Number.POSITIVE_INFINITY;
  const hits = windows.filter(
    ({ fromMs, untilMs }) => fromMs <= doneMs && untilMs >= sentMs - LEASE_MS,
  );
  return hits.length * HITS_PER_FAULT_MAX;
}

async function findOpenFiles(
  rig: Rig,
  baseline: ReadonlyMap<string, number>,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    rig.hubs.map(async ({ name, pid }) => {
      const before = baseline.get(name) ?? 0;
      const after = await openFiles(pid);
      if (after <= before + FILES_MORE_MAX) return [];
      const message = `${name} has ${after} open files, ${before} at the start`;
      return [{ rule: 'open files', message, ids: [] }];
    }),
  );
  return findings.flat();
}

/** 0 where the system does not say. */
async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}
