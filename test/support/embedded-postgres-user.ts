// A process that uses the embedded server, for tests of what happens between processes: prints one
// line of JSON when the server is there, or why it is not; closes it when its input ends.
import { once } from 'node:events';
import { startEmbeddedPostgres } from '../../src/journal/embedded-postgres.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { quietLog } from './test-journal-server.ts';

const [dataFolder = '', systemFolder = ''] = process.argv.slice(2);

try {
  const server = await startEmbeddedPostgres({ dataFolder, systemFolder, log: quietLog });
  const { url, pid, startedByUs } = server;
  process.stdout.write(`${JSON.stringify({ url, pid, startedByUs })}\n`);
  process.stdin.resume();
  await once(process.stdin, 'end');
  await server.close();
} catch (error) {
  if (!isCrossdockError(error)) throw error;
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
}
