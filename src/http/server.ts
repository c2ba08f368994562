// The listening socket: its limits, and how it leaves.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CrossdockError } from '../model/errors.ts';

const serverLimits = {
  /** A client that dribbles its headers or body is cut off after this, counted from its start. */
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  /** Longer than the 60 s that load balancers keep a connection: they must close it, not we. */
  keepAliveTimeout: 65_000,
  /**
   * One more is taken and closed at once, so a sender or load balancer tries again or elsewhere;
   * left in the kernel's queue it would hang until its own deadline. `dropMaxConnection` does not
   * exist on Node 20, and later matters to processes of `node:cluster` alone, which we are not.
   */
  maxConnections: 2_000,
};
/** While leaving, how often connections that became idle are closed. */
const IDLE_CHECK_MS = 50;

export interface ListeningServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Takes no more, lets requests under way finish, and cuts them off after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Rejects `port-taken`, or `configuration-invalid` where the address cannot be listened on. */
export async function listen(
  app: RequestListener,
  address: { readonly host: string; readonly port: number },
  limits: Partial<typeof serverLimits> = {},
): Promise<ListeningServer> {
  const { maxConnections, ...options } = { ...serverLimits, ...limits };
  const server = createServer(options, app);
  server.maxConnections = maxConnections;
  const silent = watchSilent(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${reachableHost(address.host)}:${port}`,
    port,
    close(graceMs) {
      for (const socket of silent) socket.destroy();
      return close(server, graceMs);
    },
  };
}

/** Connections that have asked for nothing yet, as browsers open them. Node counts them as busy. */
function watchSilent(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request) => silent.delete(request.socket));
  return silent;
}

async function close(server: Server, graceMs: number): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearInterval(idle);
  clearTimeout(force);
}

function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number },
): CrossdockError {
  if (error.code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is taken; set PORT to a free one`;
    return new CrossdockError('port-taken', message, { cause: error });
  }
  const message = `cannot listen on ${host} port ${port} (${error.code}); see HOST and PORT`;
  return new CrossdockError('configuration-invalid', message, { cause: error });
}

/** Every address is listened on where the host is a wildcard; a person needs one to open. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
