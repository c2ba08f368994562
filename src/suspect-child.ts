/**
 * The process in which suspect deliveries are tried: the project's files, connectors and mapper, and
 * neither journal nor lanes. A line of work comes in, the attempt is made as in the hub, the verdict
 * goes out. It ends when the hub closes the pipe, also by dying.
 */

import { createInterface } from 'node:readline';
import { readEnvironment } from './config/environment.ts';
import { type AttemptPorts, attemptDelivery } from './delivery/attempt.ts';
import {
  ALIVE_EVERY_MS,
  type SuspectReply,
  type SuspectRequest,
  type WorkText,
  workOf,
} from './delivery/suspect-process.ts';
import { openConnectors } from './live-connectors.ts';
import { loadProject } from './load-project.ts';
import { createChildPoolMapper } from './mapping/child-pool-mapper.ts';

// A signal to the whole process group (Ctrl-C, systemd) is the hub's business.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

/** Where the hub leaves, a call that was made may go on this long, and is then cut off. */
const CUT_AFTER_MS = 5_000;

function reply(line: SuspectReply, written?: () => void): void {
  process.stdout.write(`${JSON.stringify(line)}\n`, written);
}

async function openPorts(): Promise<AttemptPorts> {
  const environment = readEnvironment();
  const { definitions } = await loadProject(environment);
  if (definitions === undefined) {
    throw new Error('the files of the project have mistakes by now; crossdock check lists them');
  }
  const mapper = createChildPoolMapper({ children: 1 });
  return { mapper, connectors: openConnectors(definitions, environment), now: Date.now };
}

async function attempt(
  ports: AttemptPorts,
  text: WorkText,
  signal: AbortSignal,
): Promise<SuspectReply> {
  try {
    return { verdict: await attemptDelivery(workOf(text), ports, signal) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

/** As the hub does it: closing a connector ends the calls that are under way. */
function cutOff({ connectors }: AttemptPorts): void {
  for (const { connector } of connectors.values()) void connector.close();
}

async function serve(): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit(0));
  const ports = await openPorts();
  const leaving = new AbortController();
  lines.on('line', (line) => {
    const request = JSON.parse(line) as SuspectRequest;
    if ('abort' in request) {
      leaving.abort(new Error('the hub is leaving'));
      setTimeout(cutOff, CUT_AFTER_MS, ports);
      return;
    }
    const { signal } = leaving;
    reply({ began: true });
    // What was told to leave takes nothing more.
    const beat = setInterval(reply, ALIVE_EVERY_MS, { alive: true });
    void attempt(ports, request.work, signal).then((answer) => {
      clearInterval(beat);
      reply(answer, signal.aborted ? () => process.exit(0) : undefined);
    });
  });
  reply({ ready: true });
}

await serve();
