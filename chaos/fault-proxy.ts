// A TCP proxy on loopback that can be told to misbehave. It knows bytes and connections, no
// protocol: what the client sends is the request, what comes back is the answer.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { quietPort } from './quiet-port.ts';

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Nobody listens; connections that were open are reset. */
  | { readonly kind: 'refuse' }
  /** Connections are taken and stay open, and nothing goes through them. */
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'latency'; readonly ms: number }
  /** The request goes through, and its answer becomes a reset; so many times, then all passes. */
  | { readonly kind: 'reset-after-request'; readonly times: number }
  /** So many bytes of an answer come through, then a reset. */
  | { readonly kind: 'cut'; readonly afterBytes: number };

export interface FaultProxy {
  readonly port: number;
  /** Answers that were turned into a reset so far. */
  readonly resets: number;
  set(mode: ProxyMode): Promise<void>;
  close(): Promise<void>;
}

const LISTEN_DEADLINE_MS = 10_000;
const LISTEN_PAUSE_MS = 50;

export async function startFaultProxy(upstreamPort: number): Promise<FaultProxy> {
  const port = await quietPort();
  const state: ProxyState = { mode: { kind: 'pass' }, resets: 0, resetsLeft: 0, pairs: new Set() };
  const server = createServer((client) => {
    client.on('error', ignore);
    if (state.mode.kind === 'blackhole') hold(client, state);
    else join(client, upstreamPort, state);
  });
  await listenAt(server, port);
  return {
    port,
    get resets() {
      return state.resets;
    },
    async set(mode) {
      const before = state.mode;
      state.mode = mode;
      state.resetsLeft = mode.kind === 'reset-after-request' ? mode.times : 0;
      if (mode.kind === 'refuse') await refuse(server, state);
      else if (before.kind === 'refuse') await listenAt(server, port);
      freezeOrThaw(before, state);
    },
    async close() {
      await refuse(server, state);
    },
  };
}

interface Pair {
  freeze(): void;
  thaw(): void;
  reset(): void;
}

interface ProxyState {
  mode: ProxyMode;
  resets: number;
  resetsLeft: number;
  readonly pairs: Set<Pair>;
}

/** Taken in the dark: nobody will ever answer it, so it ends when the darkness does. */
function hold(client: Socket, state: ProxyState): void {
  client.pause();
  const pair: Pair = {
    freeze: () => undefined,
    thaw: () => client.resetAndDestroy(),
    reset: () => client.resetAndDestroy(),
  };
  state.pairs.add(pair);
  client.once('close', () => state.pairs.delete(pair));
}

function join(client: Socket, upstreamPort: number, state: ProxyState): void {
  const upstream = connect(upstreamPort, '127.0.0.1');
  client.setNoDelay(true);
  upstream.setNoDelay(true);
  upstream.on('error', ignore);
  const pair: Pair = {
    freeze() {
      client.pause();
      upstream.pause();
    },
    thaw() {
      client.resume();
      upstream.resume();
    },
    reset() {
      client.resetAndDestroy();
      upstream.destroy();
    },
  };
  let answered = 0;
  state.pairs.add(pair);
  client.on('data', (chunk: Buffer) => forward({ from: client, to: upstream, chunk, state }));
  upstream.on('data', (chunk: Buffer) => {
    if (state.mode.kind === 'reset-after-request' && state.resetsLeft > 0) {
      state.resetsLeft -= 1;
      state.resets += 1;
      pair.reset();
      return;
    }
    if (state.mode.kind === 'cut' && answered + chunk.length > state.mode.afterBytes) {
      client.write(chunk.subarray(0, Math.max(0, state.mode.afterBytes - answered)));
      state.resets += 1;
      pair.reset();
      return;
    }
    answered += chunk.length;
    forward({ from: upstream, to: client, chunk, state });
  });
  client.once('close', () => {
    state.pairs.delete(pair);
    upstream.destroy();
  });
  upstream.once('close', () => client.destroy());
  client.once('end', () => upstream.end());
  upstream.once('end', () => client.end());
}

function forward(parts: {
  readonly from: Socket;
  readonly to: Socket;
  readonly chunk: Buffer;
  readonly state: ProxyState;
}): void {
  const { from, to, chunk, state } = parts;
  if (state.mode.kind === 'latency') {
    // The same wait for each keeps their order.
    setTimeout(() => to.destroyed || to.write(chunk), state.mode.ms);
    return;
  }
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => {
    if (state.mode.kind !== 'blackhole') from.resume();
  });
}

function freezeOrThaw(before: ProxyMode, { mode, pairs }: ProxyState): void {
  if (mode.kind === 'blackhole') for (const pair of pairs) pair.freeze();
  else if (before.kind === 'blackhole') for (const pair of pairs) pair.thaw();
}

async function refuse(server: Server, state: ProxyState): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  if (server.listening) server.close();
  for (const pair of state.pairs) pair.reset();
  await closed;
}

async function listenAt(server: Server, port: number): Promise<void> {
  const endMs = Date.now() + LISTEN_DEADLINE_MS;
  for (;;) {
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await sleep(LISTEN_PAUSE_MS);
    }
  }
}

function ignore(): void {
  // A broken connection is what this proxy is for.
}
