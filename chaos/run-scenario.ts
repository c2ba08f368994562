// One scenario from start to verdict: rig, load, fault, drain, evidence, judgement.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../test/support/wait-until.ts';
import { canariesOf, findLeaks } from './canaries.ts';
import { type Expectations, type Finding, judge } from './checker.ts';
import type { Evidence, Times } from './evidence.ts';
import type { Figures } from './figures.ts';
import { countOpen, dumpJournal } from './journal-dump.ts';
import { createOrder } from './orders.ts';
import { createRandom, type Random } from './random.ts';
import { type Closers, closeAll, type LaneStore, type Rig, startRig } from './rig.ts';
import { expectationsOf, type Load, nameOf, type Scenario, usualLoad } from './scenario.ts';
import { tellStories } from './stories.ts';

export interface ScenarioResult {
  readonly id: string;
  readonly variant?: string;
  readonly title: string;
  readonly promise: string;
  readonly lanes: LaneStore;
  readonly seed: number;
  readonly verdict: 'passed' | 'failed' | 'skipped';
  readonly tookMs: number;
  readonly figures?: Figures;
  readonly findings: readonly Finding[];
  /** What the scenario measured of its own, by name. */
  readonly measured?: Readonly<Record<string, string>>;
  /** Of the machine over the last minute, at the end: far more than its cores, and times say little. */
  readonly loadAverage: number;
  /** Why it was skipped, or what broke the run itself. */
  readonly reason?: string;
  /** Where logs, journal and calls of a failed run lie. */
  readonly evidence?: string;
}

export interface Run {
  readonly scenario: Scenario;
  readonly lanes: LaneStore;
  readonly seed: number;
}

const WARM_MS = 1_500;
const DRAIN_MS_MAX = 90_000;
const POLL_MS = 400;
const THIN_OUT = 10;

/** `closers` is what has to be closed if this process must end in the middle. */
export async function runScenario(
  run: Run,
  sharedPostgresUrl: string,
  closers: Closers,
): Promise<ScenarioResult> {
  const { scenario, lanes, seed } = run;
  const { id, variant, title, promise } = scenario;
  const beganMs = Date.now();
  const reason = await scenario.skipReason?.();
  const came: Came =
    reason === undefined
      ? await runOnRig(run, sharedPostgresUrl, closers)
      : { verdict: 'skipped', findings: [], reason };
  const name = variant === undefined ? { id } : { id, variant };
  const [loadAverage = 0] = loadavg();
  const tookMs = Date.now() - beganMs;
  return { ...name, title, promise, lanes, seed, tookMs, loadAverage, ...came };
}

type Came = Pick<
  ScenarioResult,
  'verdict' | 'findings' | 'figures' | 'measured' | 'reason' | 'evidence'
>;

async function runOnRig(run: Run, sharedPostgresUrl: string, closers: Closers): Promise<Came> {
  const { scenario, lanes } = run;
  const name = `${nameOf(scenario)}-${lanes}`.replace(/\W+/g, '-');
  const wishes = scenario.rig ?? {};
  let rig: Rig | undefined;
  let came: Came;
  try {
    rig = await startRig({ name, lanes, wishes, sharedPostgresUrl, closers });
    const { findings, figures } = await tryOut(rig, run);
    const verdict = findings.length === 0 ? 'passed' : 'failed';
    const measured = scenario.measured?.(rig);
    came = { verdict, findings, figures, ...(measured === undefined ? {} : { measured }) };
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    came = { verdict: 'failed', findings: [], reason };
  }
  await closeAll(closers).catch((error: unknown) => console.error(`closing: ${String(error)}`));
  if (rig === undefined) return came;
  if (came.verdict === 'failed') return { ...came, evidence: rig.folder };
  // A run that passed leaves nothing behind.
  await rm(rig.folder, { recursive: true, force: true });
  return came;
}

async function tryOut(
  rig: Rig,
  { scenario, lanes, seed }: Run,
): Promise<{ readonly findings: readonly Finding[]; readonly figures: Figures }> {
  const random = createRandom(`${seed} ${nameOf(scenario)} ${lanes}`);
  const expectations = expectationsOf(scenario);
  for (const hub of rig.hubs) hub.start();
  await Promise.all(rig.hubs.map((hub) => hub.ready()));
  rig.note('the hub is ready');
  await scenario.prepare?.(rig, random);
  const shown = await readSurfaces(rig);
  const times = await underLoad(rig, scenario, random);
  await drain(rig, expectations);
  const evidence = await gather(rig, times, shown);
  const own = (await scenario.check?.(rig, evidence)) ?? [];
  const { findings, figures } = judge(evidence, expectations);
  const all = [...findings, ...own];
  if (all.length > 0) await writeEvidence(rig, evidence, all);
  return { findings: all, figures };
}

async function underLoad(rig: Rig, scenario: Scenario, random: Random): Promise<Times> {
  const load: Load = { ...usualLoad, ...scenario.load };
  const order = createOrders(load, random);
  let duringFault: number | undefined;
  rig.producer.start(load.ratePerSecond, () => {
    if (duringFault !== undefined) duringFault += 1;
    const isThin = duringFault !== undefined && duringFault > load.faultMessagesMax;
    return isThin && (duringFault ?? 0) % THIN_OUT > 0 ? undefined : order();
  });
  await sleep(WARM_MS);
  const warmMs = Date.now();
  await sleep(load.idleMs);
  rig.note('the fault begins');
  const faultBeganMs = Date.now();
  duringFault = 0;
  await scenario.fault(rig, random);
  duringFault = undefined;
  const faultEndedMs = Date.now();
  rig.note('the fault is over');
  await sleep(load.afterMs);
  await rig.producer.finish();
  // Fresh for certain, also where the load was held up until now.
  await rig.producer.send(createOrder({ number: 999_999, key: 'fresh', sequence: 1 }));
  rig.note('the load is over');
  return { warmMs, faultBeganMs, faultEndedMs };
}

function createOrders(load: Load, random: Random) {
  const sequences = new Map<string, number>();
  let number = 0;
  return () => {
    number += 1;
    const key = `c-${random.between(1, load.keys)}`;
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    return createOrder({ number, key, sequence });
  };
}

/** Until every story has come to an end that the scenario expects, or the patience to its end. */
async function drain(rig: Rig, expectations: Expectations): Promise<void> {
  const isDrained = async (): Promise<true | undefined> => {
    await sleep(POLL_MS);
    // Where nothing may stay open, a look at all of it is worth its time only at the end.
    const open =
      expectations.endings === undefined ? await countOpen(rig.databaseUrl).catch(() => 1) : 0;
    if (open > 0) return undefined;
    const journal = await dumpJournal(rig.databaseUrl).catch(() => undefined);
    if (journal === undefined) return undefined;
    const { sent } = rig.producer;
    const evidence = { sent, calls: [], journal, leaks: [], times: noTimes };
    const stories = tellStories(evidence, expectations.flows);
    const isSettled = stories.every((story) => {
      const [delivery] = story.deliveries;
      if (story.event === undefined) return true;
      if (delivery === undefined) return false;
      const endings = expectations.endings?.(story) ?? [];
      return !delivery.open || endings.some(({ state }) => state === delivery.state);
    });
    return isSettled ? true : undefined;
  };
  await waitUntil('the backlog is drained', isDrained, DRAIN_MS_MAX).then(
    () => rig.note('drained'),
    () => rig.note(`not drained within ${DRAIN_MS_MAX} ms`),
  );
}

const noTimes: Times = { warmMs: 0, faultBeganMs: 0, faultEndedMs: 0 };

interface Text {
  readonly where: string;
  readonly text: string;
}

async function gather(rig: Rig, times: Times, shown: readonly Text[]): Promise<Evidence> {
  const { producer, erp, crm, other } = rig;
  const outputs = await Promise.all(
    rig.hubs.map(async ({ name, outputFile }) => ({
      where: `the output of ${name}`,
      text: await readFile(outputFile, 'utf8'),
    })),
  );
  const refusals = [...producer.refusals].map((text) => ({
    where: 'an answer to a webhook',
    text,
  }));
  const texts = [...outputs, ...refusals, ...shown, ...(await readSurfaces(rig))];
  // The journal first: what it says by then, the targets have seen by then.
  const journal = await dumpJournal(rig.databaseUrl);
  return {
    sent: producer.sent,
    calls: [...erp.calls, ...crm.calls, ...other.calls],
    journal,
    leaks: findLeaks(texts, canariesOf(rig.databaseUrl)),
    times,
  };
}

/** What anybody may read of a hub. */
async function readSurfaces(rig: Rig): Promise<readonly Text[]> {
  const reads = rig.hubs.flatMap(({ name, url }) =>
    ['/metrics', '/readyz', '/healthz', '/nothing'].map(async (path) => ({
      where: `${path} of ${name}`,
      text: await fetch(`${url}${path}`).then(
        (response) => response.text(),
        () => '',
      ),
    })),
  );
  return Promise.all(reads);
}

async function writeEvidence(
  rig: Rig,
  { sent, calls, journal, times, leaks }: Evidence,
  findings: readonly Finding[],
): Promise<void> {
  const folder = join(rig.folder, 'evidence');
  await mkdir(folder, { recursive: true });
  const lines = (list: readonly unknown[]): string =>
    list.map((one) => `${JSON.stringify(one)}\n`).join('');
  const readable = sent.map(({ body, ...rest }) => ({ ...rest, body: body.toString() }));
  await Promise.all([
    writeFile(join(folder, 'sent.jsonl'), lines(readable)),
    writeFile(join(folder, 'calls.jsonl'), lines(calls)),
    writeFile(join(folder, 'events.jsonl'), lines(journal.events)),
    writeFile(join(folder, 'deliveries.jsonl'), lines(journal.deliveries)),
    writeFile(join(folder, 'findings.json'), JSON.stringify({ times, findings, leaks }, null, 2)),
    writeFile(join(folder, 'timeline.log'), `${rig.notes.join('\n')}\n`),
  ]);
}
