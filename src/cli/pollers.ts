import type { Command } from 'commander';
import type { PollerView } from '../journal/pollers-port.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { shownTime } from './describe.ts';
import { requireProject } from './project.ts';
import { type Cell, formatTable, inOneLine } from './table.ts';
import { print, printJson } from './terminal.ts';
import { withOperations } from './with-operations.ts';

export function addPollers(program: Command): void {
  defineCommand(program, {
    usage: 'pollers',
    summary: 'Show how far each poller and each schedule has come, and what keeps it.',
    examples: ['pollers', 'pollers --json'],
  }).action(ending(pollers));
}

async function pollers({ json }: CommonOptions): Promise<undefined> {
  const { connectors } = await requireProject();
  const wanted = [...connectors.values()].flatMap(({ id, receive }) => [
    ...(receive?.poll === undefined ? [] : [id]),
    ...((receive?.schedules.length ?? 0) === 0 ? [] : [`${id} schedule`]),
  ]);
  const known = await withOperations((operations) => operations.pollers.list());
  const shown = known.filter(({ source }) => wanted.includes(source));
  const untried = wanted.filter((one) => !shown.some(({ source }) => source === one));
  if (json) {
    printJson({ pollers: shown, untried });
    return;
  }
  if (wanted.length === 0) print('no pollers: no connector has receive.poll or receive.schedule');
  else for (const line of table(shown, untried)) print(line);
}

function table(shown: readonly PollerView[], untried: readonly string[]): readonly string[] {
  return formatTable(
    ['POLLER', 'STATE', 'CURSOR', 'LAST TURN', 'NEXT TURN', 'WHY'],
    [
      ...shown.map(({ source, cursor, polledAt, nextAt, failures, error }): Cell[] => [
        source,
        failures === 0
          ? { text: 'going', format: 'green' }
          : { text: `failed ${failures} times`, format: 'red' },
        inOneLine(cursor ?? ''),
        polledAt === undefined ? '' : shownTime(polledAt),
        shownTime(nextAt),
        inOneLine(error ?? ''),
      ]),
      ...untried.map((source): Cell[] => [source, 'not tried yet', '', '', '', '']),
    ],
  );
}
