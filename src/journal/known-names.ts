// Whether the journal has ever had anything of a name, which no file may have any more.

import type { Database, Statement } from './database.ts';
import type { NamedInQuery } from './replays-port.ts';

const statements: Readonly<Record<NamedInQuery, Statement>> = {
  flow: {
    name: 'has-flow',
    text: 'SELECT EXISTS (SELECT 1 FROM deliveries WHERE flow = $1) AS found',
  },
  connector: {
    name: 'has-connector',
    text: 'SELECT EXISTS (SELECT 1 FROM deliveries WHERE connector = $1) AS found',
  },
  source: {
    name: 'has-source',
    text: 'SELECT EXISTS (SELECT 1 FROM events WHERE source = $1) AS found',
  },
};

export async function hasName(
  database: Database,
  what: NamedInQuery,
  name: string,
): Promise<boolean> {
  const [row] = await database.query<{ found: boolean }>(statements[what], [name]);
  return row?.found === true;
}
