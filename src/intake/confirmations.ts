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
/** Of one connector. */
const PER_MINUTE_MAX = 20;
const MINUTE_MS = 60_000;
const SOCKETS_MAX = 8;
const LOG_EVERY_MS = 60_000;

export interface Confirmation {
  readonly source: string;
  readonly handshake: string;
  /** Of a host that the handshake trusts. */
  readonly url: URL;
}

export interface Confirmations {
  /** Whether one more of this connector is taken now: else the vendor is told to come again. */
  hasRoom(confirmation: Confirmation): boolean;
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
  /** By connector, when those of the last minute began. */
  const begun = new Map<string, readonly number[]>();
  let warnedMs = Number.NEGATIVE_INFINITY;

  /** Anybody can ask for some of them: they must not fill the log. */
  const warn = (fields: object, message: string): void => {
    if (performance.now() - warnedMs < LOG_EVERY_MS) return;
    warnedMs = performance.now();
    log.warn(fields, message);
  };

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
          warn({ ...told, host: url.host, ...reason }, 'a subscription is not confirmed');
          return;
        }
        await sleep(restMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };

  const keyOf = ({ source, url }: Confirmation): string => `${source} ${url.href}`;
  const lately = (source: string): readonly number[] =>
    (begun.get(source) ?? []).filter((atMs) => performance.now() - atMs < MINUTE_MS);
  const hasRoom = (confirmation: Confirmation): boolean => {
    if (underWay.has(keyOf(confirmation))) return true;
    const { source } = confirmation;
    const count = [...underWay.values()].filter((one) => one.source === source).length;
    const isFull = count >= CONFIRMATIONS_MAX || lately(source).length >= PER_MINUTE_MAX;
    return !isFull && !closing.signal.aborted;
  };

  return {
    hasRoom,
    async confirm(confirmation) {
      const { source, handshake } = confirmation;
      const key = keyOf(confirmation);
      const known = underWay.get(key);
      if (known !== undefined) return known.work;
      if (!hasRoom(confirmation)) {
        warn({ source, handshake }, 'too many confirmations at once; one was left out');
        return;
      }
      begun.set(source, [...lately(source), performance.now()]);
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
  const isNowhere = detail === 'ENOTFOUND';
  return isRefused || isNowhere || failure === 'redirected' || failure === 'too-large';
}

function reasonOf(error: unknown): object {
  return error instanceof KeyUnavailable
    ? { code: error.failure, detail: error.detail }
    : { err: error };
}
