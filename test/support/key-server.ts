// A host by https that publishes keys, under an authority of the tests' own: every name leads to
// it. What is tested with it is the client as it is, with another agent. The certificates are good
// from 2020 to 2120; their keys open nothing.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.ts';
import { createPublishedKeys, type PublishedKeys } from '../../src/intake/published-keys.ts';
import { silentMeter } from '../../src/model/meter.ts';

const folder = join(packageRoot, 'test/fixtures/tls');

/** The path of a fixture, for servers that read it themselves. */
export function tlsFile(name: string): string {
  return join(folder, `${name}.pem`);
}

/** The certificate of a vendor, and the key that it signs with. */
export const signer = {
  certificate: readFileSync(tlsFile('signer'), 'utf8'),
  privateKey: readFileSync(tlsFile('signer-key'), 'utf8'),
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface KeyServer {
  readonly port: number;
  /** `host/path` of each request, in the order they came. */
  readonly asked: readonly string[];
  /** Every name of https leads to this server. */
  readonly agent: Agent;
  /** What the server does from now on; a text is sent as it is. */
  answer(with_: string | Answer): void;
  close(): Promise<void>;
}

export async function startKeyServer(
  first: string | Answer = signer.certificate,
): Promise<KeyServer> {
  const asked: string[] = [];
  let answer = first;
  const server = createServer(
    { key: readFileSync(tlsFile('server-key')), cert: readFileSync(tlsFile('server')) },
    (request, response) => {
      asked.push(`${request.headers.host}${request.url}`);
      if (typeof answer === 'string') response.end(answer);
      else answer(request, response);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = agentTo(port);
  return {
    port,
    asked,
    agent,
    answer(next) {
      answer = next;
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An agent that takes every name to `port` of this machine, and trusts the tests' authority. */
export function agentTo(port: number): Agent {
  return new Agent({
    ca: readFileSync(tlsFile('authority')),
    port,
    lookup: (_name, options, done) => {
      const address = '127.0.0.1';
      if (options.all === true) done(null, [{ address, family: isIP(address) }]);
      else done(null, address, isIP(address));
    },
  });
}

export const silentLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function keysFrom(agent: Agent, now?: () => number): PublishedKeys {
  const ports = { log: silentLog, meter: silentMeter, agent };
  return createPublishedKeys(now === undefined ? ports : { ...ports, now });
}
