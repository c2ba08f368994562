import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems hand out for connections, so that a closed one stays free. */
const PORT_MIN = 20_000;
const PORT_MAX = 31_000;
/** Runs beside each other take theirs from different pieces: between look and use nobody is safe. */
const PORTS_A_RUN = 100;
const pieceMin = PORT_MIN + (process.pid % ((PORT_MAX - PORT_MIN) / PORTS_A_RUN)) * PORTS_A_RUN;

const given = new Set<number>();

/** A port that nobody listens on and that no outgoing connection takes while its server is down. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = pieceMin + randomInt(PORTS_A_RUN);
    if (given.has(port)) continue;
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    given.add(port);
    return port;
  }
}
