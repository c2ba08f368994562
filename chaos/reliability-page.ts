// docs/reliability.md, made from the results of a run: what is promised, what was tried, what came
// of it. Only the words around the figures are written here.

import {
  LARGE_REPLAY_NEIGHBOUR_MS,
  NEIGHBOUR_FLOOR_MS,
  NEIGHBOUR_TIMES_MAX,
} from './rules-times.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { nameOf, RECOVERY_MS_MAX, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { groupBy } from './stories.ts';

export interface PageSource {
  readonly results: readonly ScenarioResult[];
  readonly machine: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  /** What was typed after `npm run chaos --`. */
  readonly args: readonly string[];
  readonly tookMs: number;
}

export function reliabilityPage(source: PageSource): string {
  return `${[
    opening(source),
    promises,
    '## The scorecard',
    scorecard(source.results),
    neighbours(source.results),
    largeReplays(source.results),
    notPassed(source.results),
    howItJudges,
    rerun(source),
    ground(source),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function opening({ results }: PageSource): string {
  const sum = (pick: (one: ScenarioResult) => number | undefined): string =>
    results.reduce((total, one) => total + (pick(one) ?? 0), 0).toLocaleString('en-US');
  const passed = results.filter(({ verdict }) => verdict === 'passed').length;
  return `# Reliability

<!-- Written by \`npm run chaos -- --write-docs\` from the results of a run. Do not edit. -->

What becomes of messages when things break: measured, not claimed. One program starts the hub as production does, sends it
signed webhooks, breaks one thing, and then compares what the vendor was told, what the targets saw and what the journal
says.

In this run: ${results.length} runs, ${passed} passed, ${sum((one) => one.figures?.acknowledged)} webhooks acknowledged,
**${sum((one) => one.figures?.lost)} lost**.`;
}

const promises = `## What is promised

1. **A 2xx is a promise.** It is sent after the exact bytes of the webhook are on the disk of PostgreSQL. No end of a
   process, and no loss of power, takes them back.
2. **Every acknowledged message comes to an end that is told**: delivered, filtered by its flow, or dead with a reason and
   ready to be tried again. Nothing just disappears.
3. **Once, where the target helps.** Each attempt of a delivery carries the same key and the same body. A target that
   honours the key does the work once. A message is sent twice only where nobody can know whether the first time worked.
4. **Order where it is asked for**: a flow that names a key has its messages delivered in their order, key by key.
5. **Damage stays where it is.** A target, a mapping or a payload that fails does not stop the others.
6. **No false 2xx.** What cannot be stored within 2 s is answered 503 with \`Retry-After\`, and the vendor sends it again.

All of it rests on one condition: PostgreSQL keeps what it has committed. The hub refuses to start on one that says it
does not. Redis may lose everything.`;

function scorecard(results: readonly ScenarioResult[]): string {
  const rows = [...groupBy(results, (one) => `${nameOf(one)} ${one.lanes}`).values()].map(rowOf);
  return [
    '| fault | what breaks | what the hub promises | lanes on | acknowledged | lost | duplicates | recovered in | verdict |',
    '|---|---|---|---|---:|---:|---:|---:|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '*Acknowledged*, *lost* and *duplicates* are sums over the seeds; *recovered in* is the slowest. *Lost* counts what was',
    'acknowledged and is not in the journal, never reached its target, or was not at its end 90 s after the load. A *duplicate*',
    'is work that a target was asked for once more, always under the same key; the targets of these runs honour it. Calls have',
    '2 s here, so that leases end early: on a busy machine some take longer and are asked for again, whatever the fault is.',
    '',
    'Each row is run with every seed, but for two kinds: where what breaks is no part of the lanes',
    `(${idsWhere(({ lanesAside }) => lanesAside)}), it is tried on PostgreSQL with the first seed only; the large replay`,
    `(${idsWhere(({ once }) => once)}) is tried once.`,
  ].join('\n');
}

function idsWhere(isMeant: (scenario: Scenario) => boolean | undefined): string {
  return [...new Set(scenarios.filter(isMeant).map(({ id }) => id))].join(', ');
}

function rowOf(runs: readonly ScenarioResult[]): readonly string[] {
  const [first] = runs;
  if (first === undefined) return [];
  const figures = runs.flatMap((one) => one.figures ?? []);
  const sum = (numbers: readonly number[]): string =>
    figures.length === 0 ? '' : String(numbers.reduce((total, one) => total + one, 0));
  const recovered = figures.flatMap(({ recoveredMs }) => recoveredMs ?? []);
  const slowest = recovered.length === 0 ? '' : `${(Math.max(...recovered) / 1_000).toFixed(1)} s`;
  return [
    nameOf(first),
    first.title,
    first.promise,
    storeName(first),
    sum(figures.map(({ acknowledged }) => acknowledged)),
    sum(figures.map(({ lost }) => lost)),
    sum(figures.map(({ duplicates }) => duplicates)),
    slowest,
    verdictOf(runs),
  ];
}

function verdictOf(runs: readonly ScenarioResult[]): string {
  const counts = [...groupBy(runs, ({ verdict }) => verdict)];
  const [only] = counts;
  if (counts.length === 1 && only !== undefined) return only[0];
  return counts.map(([verdict, list]) => `${list.length} ${verdict}`).join(', ');
}

function storeName({ lanes }: ScenarioResult): string {
  return lanes === 'redis' ? 'Redis' : 'PostgreSQL';
}

/** Only scenarios that are run alone compare times. */
function neighbours(results: readonly ScenarioResult[]): string {
  const rows = results.flatMap(({ id, lanes, seed, figures }) => {
    const [idle, during] = [figures?.neighbourIdleP99Ms, figures?.neighbourFaultP99Ms];
    if (id !== 'F16' || idle === undefined || during === undefined) return [];
    return [`| ${storeName({ lanes } as ScenarioResult)} | ${seed} | ${idle} ms | ${during} ms |`];
  });
  if (rows.length === 0) return '';
  return [
    'While the ERP refuses connections (F16), each order also goes to a CRM whose lane is its own. From the webhook to the',
    'call at the CRM, 99 of 100 took less than:',
    '',
    '| lanes on | seed | before | while the ERP is away |',
    '|---|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

function largeReplays(results: readonly ScenarioResult[]): string {
  const rows = results.flatMap((one) =>
    Object.entries(one.id === 'F41' ? (one.measured ?? {}) : {}).map(
      ([name, value]) => `| ${nameOf(one)} on ${storeName(one)} | ${name} | ${value} |`,
    ),
  );
  if (rows.length === 0) return '';
  return [
    'The large replay (F41) is made of copies of what the journal holds. It runs over the API until all is made or the hub',
    'itself holds it back, which it does while 50,000 jobs wait in a lane; then the lane is resumed and the replay cancelled.',
    'Whether Redis was kept is judged by its own SLOWLOG. To wait for a processor is no fault of a command, so Redis is put',
    "before everything else on the machine where the run may do that. The PING is this program's, which waits for a processor",
    `as well: it is told, not judged. At this rate others wait for the same cores, and a neighbour's p99 may be ${LARGE_REPLAY_NEIGHBOUR_MS / 1_000} s.`,
    '',
    '| run | measured | |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function notPassed(results: readonly ScenarioResult[]): string {
  const lines = results
    .filter(({ verdict }) => verdict !== 'passed')
    .map((one) => {
      const why =
        one.reason?.split('\n')[0] ?? one.findings.map(({ message }) => message).join('; ');
      return `- ${nameOf(one)} on ${storeName(one)}, seed ${one.seed}: ${one.verdict}: ${why}`;
    });
  return lines.length === 0 ? '' : ['### Not passed', '', ...lines].join('\n');
}

const howItJudges = `## How a verdict comes about

A verdict is reckoned from three logs, and nobody can set it. A run has passed if all of this holds:

- a webhook that is not acknowledged was answered 503 with \`Retry-After\`, or not at all, and a later try was;
- every acknowledged webhook is in the journal, once, byte by byte, under the id that the vendor was told;
- it has exactly one delivery for each flow, and that came to the end that the scenario expects;
- what is delivered was seen by the target, and what the target saw is what the mapping makes of the webhook, reckoned
  a second time apart from the hub, down to the digits of numbers beyond 2^53;
- each call carries the key of its delivery; calls with one key have one body; work that is asked for again is explained by
  the fault or by an attempt that the journal calls ambiguous;
- where a flow keeps an order, each key's messages are first seen in it;
- no attempt is spent on a failure of the hub's own;
- no secret and no person is in what the hub prints, in \`/metrics\`, \`/readyz\` or an error;
- ${RECOVERY_MS_MAX / 1_000} s after the end of the fault at the latest, with nobody acting, what had piled up is done and a fresh message goes through;
- where times are compared, a neighbour's p99 during the fault is at most ${NEIGHBOUR_TIMES_MAX} times what it was before, or below ${NEIGHBOUR_FLOOR_MS} ms,
  which two windows without any fault differ by on a machine with other work.

Messages that were stored although their sender got no answer are allowed: the sender repeats them and is told the same id.`;

function rerun({ args, seeds }: PageSource): string {
  const first = seeds[0] ?? 0;
  const command = withoutFiles(args).join(' ');
  return `## Run it yourself

Node, \`redis-server\` and this checkout are all it takes; PostgreSQL comes with it. Two faults need root (a small disk) and
\`libfaketime\` (a wrong clock), and are skipped without.

\`\`\`
npm run chaos -- --quick                  # the short set, under 6 minutes
npm run chaos                             # every fault once, with a new seed
npm run chaos -- --only F5,F11 --seed ${first}  # some, as they were
npm run chaos -- --soak 30m               # one hub, a random fault every 20 s
\`\`\`

A seed decides which process is killed, when, and what the webhooks are; what the machine does between is its own. A run
that fails keeps its logs, the journal and the calls, and says where. This page was written by
\`npm run chaos -- ${command}\`.`;
}

/** Where the results went besides is nobody's business. */
function withoutFiles(args: readonly string[]): readonly string[] {
  return args.filter((one, at) => !/^--json(=|$)/.test(one) && args[at - 1] !== '--json');
}

function ground({ machine, seeds, tookMs, results }: PageSource): string {
  const load = results.reduce((sum, one) => sum + one.loadAverage, 0) / Math.max(1, results.length);
  return [
    '## The machine',
    '',
    '| | |',
    '|---|---|',
    ...Object.entries(machine).map(([name, value]) => `| ${name} | ${value} |`),
    `| seeds | ${seeds.join(', ')} |`,
    `| load average, over the runs | ${load.toFixed(1)} |`,
    `| time taken | ${Math.round(tookMs / 60_000)} min |`,
  ].join('\n');
}
