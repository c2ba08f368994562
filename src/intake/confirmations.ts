// Telling vendors that we want their webhooks, by asking an address that they sent: after the answer,
// so that no sender waits for it. Where it is lost with the hub, the vendor is asked to send anew.

import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../model/log.ts';
import { fetchPublished } from './fetch-published.ts';
import { KeyUnavailable } from './key-unavailable.ts';

/** Rests between tries; Adobe waits 5 minutes, SNS for days. */
const RESTS_MS: readonly number[] = [1_000, 5_000, 30_000];
/** Of one connector at once: for one vendor they need no signature, so that anybody can ask. */
export const CONFIRMATIONS_MAX = 4;
const SOCKETS_MAX = 8;
const LOG_EVERY_MS = 60_000;

export interface Confirmation {
  readonly source: string;
  readonly handshake: string;
  /** Of a host that the handshake trusts. */
  readonly url: URL;
}

export interface Confirmations {
  /** Resolves once it was asked, given up or left out; never rejects. */
  confirm(confirmation: Confirmation): Promise<void>;
  /** Ends those that are under way. */
  close(): Promise<void>;
}

export function createConfirmations(ports: {
  readonly log: Log;
  /** How connections are made. @default straight, with the certificates that Node.js trusts */
  readonly agent?: Agent;
  /** @default three: 1 s, 5 s and 30 s */
  readonly restsMs?: readonly number[];
}): Confirmations {
  const { log, agent = new Agent({ maxSockets: SOCKETS_MAX }), restsMs = RESTS_MS } = ports;
  const underWay = new Map<string, { readonly source: string; readonly work: Promise<void> }>();
  const closing = new AbortController();
  let warnedMs = Number.NEGATIVE_INFINITY;

  const ask = async ({ url, ...told }: Confirmation): Promise<void> => {
    for (let tries = 0; !closing.signal.aborted; tries += 1) {
      try {
        await fetchPublished(url, agent);
        log.info({ ...told, host: url.host }, 'a subscription was confirmed');
        return;
      } catch (error) {
        const restMs = restsMs[tries];
        if (restMs === undefined || isFinal(error)) {
          const reason = reasonOf(error);
          log.warn({ ...told, host: url.host, ...reason }, 'a subscription is not confirmed');
          return;
        }
        await sleep(restMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };

  const leaveOut = ({ source, handshake }: Confirmation): void => {
    if (performance.now() - warnedMs < LOG_EVERY_MS) return;
    warnedMs = performance.now();
    log.warn({ source, handshake }, 'too many confirmations at once; one was left out');
  };

  return {
    async confirm(confirmation) {
      const { source, url } = confirmation;
      const key = `${source} ${url.href}`;
      const known = underWay.get(key);
      if (known !== undefined) return known.work;
      const count = [...underWay.values()].filter((one) => one.source === source).length;
      if (count >= CONFIRMATIONS_MAX || closing.signal.aborted) return leaveOut(confirmation);
      const work = ask(confirmation).finally(() => underWay.delete(key));
      underWay.set(key, { source, work });
      return work;
    },
    async close() {
      closing.abort();
      await Promise.all([...underWay.values()].map(({ work }) => work));
    },
  };
}

/** Whoever answers that it does not want this says so again; what is no failure is a bug. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof KeyUnavailable)) return true;
  const { failure, detail = '' } = error;
  const isRefused = failure === 'bad-status' && /^4(?!08|29)/.test(detail);
  return isRefused || failure === 'redirected' || failure === 'too-large';
}

function reasonOf(error: unknown): object {
  return error instanceof KeyUnavailable
    ? { code: error.failure, detail: error.detail }
    : { err: error };
}
