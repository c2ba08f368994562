import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine } from '../bench/report.ts';
import { packageRoot } from '../src/config/package-root.ts';
import { queryJournal } from './journal-dump.ts';

/** Where the results were got: machine, versions, date. */
export async function describeRig(databaseUrl: string): Promise<Readonly<Record<string, string>>> {
  const [row] = await queryJournal(databaseUrl, 'SHOW server_version');
  const redis = /v=(\S+)/.exec(spawnSync('redis-server', ['--version']).stdout?.toString() ?? '');
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  return {
    ...describeMachine(),
    crossdock: String(version),
    postgresql: String(row?.['server_version']),
    redis: redis?.[1] ?? 'not installed',
  };
}
