import type { Command } from 'commander';
import { describeLanes, type LaneRules, type LaneStatus } from '../delivery/lane-status.ts';
import { gateWords } from '../delivery/shown-state.ts';
import type { Rate } from '../model/units.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { requireProject } from './project.ts';
import { type Cell, formatTable, inOneLine } from './table.ts';
import { plain, print, printJson } from './terminal.ts';
import { withOperations } from './with-operations.ts';

export function addLanes(program: Command): void {
  defineCommand(program, {
    usage: 'lanes',
    summary: 'Show how each lane is: what waits in it, what holds it, what it may.',
    examples: ['lanes', 'lanes --json'],
  }).action(ending(lanes));
}

async function lanes(options: CommonOptions): Promise<undefined> {
  const { connectors } = await requireProject();
  const called = [...connectors.values()].filter(({ operations }) => operations.size > 0);
  const rules = new Map(called.map(({ id, limits }) => [id, limits]));
  const { all, pauses } = await withOperations(async (operations) => ({
    all: await describeLanes({ ...operations, rules }),
    pauses: (await operations.journal.listPauses()).filter(({ scope }) => scope !== 'connector'),
  }));
  if (options.json) {
    printJson({ lanes: all, pauses });
    return;
  }
  if (all.length === 0) print('no lanes: no connector can be called');
  else for (const line of laneTable(all)) print(line);
  if (pauses.length > 0) print();
  for (const pause of pauses) {
    const { scope, name } = pause;
    const why = gateWords(pause).replace(scope, `${scope} ${name} is`);
    print(`${plain(why)} (crossdock resume --${scope} ${name})`);
  }
}

function laneTable(all: readonly LaneStatus[]): readonly string[] {
  return formatTable(
    [
      'LANE',
      'STATE',
      'OPEN',
      'WAITING',
      'ACTIVE',
      'DELAYED',
      'DEAD',
      'OLDEST DUE',
      'LIMITS',
      'WHY',
    ],
    all.map(({ lane, state, open, jobs, dead, oldestDueMs, limits, reason }): Cell[] => [
      lane,
      { text: state, format: state === 'going' ? 'green' : 'yellow' },
      String(open),
      String(jobs?.waiting ?? '?'),
      String(jobs?.active ?? '?'),
      String(jobs?.delayed ?? '?'),
      dead === 0 ? '0' : { text: String(dead), format: 'red' },
      `${Math.round(oldestDueMs / 1_000)} s`,
      limits === undefined ? 'in no file' : limitWords(limits),
      inOneLine(reason ?? ''),
    ]),
  );
}

function limitWords({ concurrency, rate, fairBy }: LaneRules): string {
  const words = [
    `${concurrency} at once`,
    ...(rate === undefined ? [] : [rateWords(rate)]),
    ...(fairBy === undefined ? [] : [`fair by ${fairBy}`]),
  ];
  return words.join(', ');
}

function rateWords({ count, perMs }: Rate): string {
  const units: Readonly<Record<number, string>> = { 1000: 's', 60000: 'm', 3600000: 'h' };
  return `${count}/${units[perMs] ?? `${perMs} ms`}`;
}
