// The second process: generates the load and plays the target. Takes one JSON command on its
// standard input, answers with one JSON line.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type LoadOptions, runLoad } from './load-client.ts';

const answer = Buffer.from('{"number":1234567}');
let calls = 0;
const target = createServer((request, response) => {
  calls += 1;
  request.resume();
  request.on('end', () => {
    response.writeHead(201, {
      'content-type': 'application/json',
      'content-length': answer.length,
    });
    response.end(answer);
  });
});
target.keepAliveTimeout = 60_000;

interface Command extends Omit<LoadOptions, 'body'> {
  readonly body: string;
}

target.listen(0, '127.0.0.1');
await once(target, 'listening');
process.send?.({ targetPort: (target.address() as { port: number }).port });

process.on('message', (command: Command | 'calls' | 'end') => {
  if (command === 'end') process.exit(0);
  if (command === 'calls') {
    process.send?.({ calls });
    return;
  }
  void runLoad({ ...command, body: Buffer.from(command.body, 'base64') }).then((result) =>
    process.send?.(result),
  );
});
