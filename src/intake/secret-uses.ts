// Which secret of which connector matches: counted in memory while requests come, told to the
// journal now and then. What cannot be told is kept for the next time; a crash forgets some seconds.

import { createHash } from 'node:crypto';
import type { SecretDefinition, VerifyDefinition } from '../definitions/receive.ts';
import type { SecretMatches, SecretUses } from '../journal/secret-uses-port.ts';
import type { Log } from '../model/log.ts';
import { secretPlaces } from './secret-keys.ts';

const TELL_EVERY_MS = 10_000;
/** Uses are forgotten once nobody could ask about them any more. */
const FORGET_AFTER_MS = 90 * 86_400_000;
const FORGET_EVERY_MS = 6 * 3_600_000;

export interface SecretCounter {
  /** Costs an addition. */
  matched(source: string, secret: MarkedSecret): void;
  /** Tells the journal what it does not know yet. */
  tell(): Promise<void>;
  close(): Promise<void>;
}

export interface MarkedSecret {
  /** From 1, as it stands in the file. */
  readonly number: number;
  readonly mark: string;
}

/** Sixteen bits: enough to tell some secrets apart, far too few to find one. */
export function markOf(source: string, secret: string): string {
  const hash = createHash('sha256').update(`crossdock secret of ${source}\n${secret}`);
  return hash.digest('hex').slice(0, 4);
}

/** The secrets of a receiver by the number that a verdict tells. */
export function markedSecrets(
  source: string,
  verify: VerifyDefinition | undefined,
): ReadonlyMap<number, MarkedSecret> {
  return new Map(
    secretsOf(verify).map(({ value }, index) => [
      index + 1,
      { number: index + 1, mark: markOf(source, value) },
    ]),
  );
}

/** Of several ways, those of all in turn; what ways share is there once. */
export function secretsOf(verify: VerifyDefinition | undefined): readonly SecretDefinition[] {
  if (verify === undefined) return [];
  return [...secretPlaces('of' in verify ? verify.of : [verify]).keys()].flat();
}

export function createSecretCounter(ports: {
  readonly uses: SecretUses;
  readonly log: Log;
}): SecretCounter {
  const { uses, log } = ports;
  let counts = new Map<string, SecretMatches>();

  const add = (one: SecretMatches): void => {
    const key = `${one.source}\n${one.mark}`;
    const matches = (counts.get(key)?.matches ?? 0) + one.matches;
    counts.set(key, { ...one, matches });
  };

  const tell = async (): Promise<void> => {
    const told = [...counts.values()];
    counts = new Map();
    try {
      await uses.note(told);
    } catch (error) {
      for (const one of told) add(one);
      log.debug({ err: error }, 'uses of secrets are not told; the next time will do it');
    }
  };

  const timer = setInterval(() => void tell(), TELL_EVERY_MS);
  timer.unref();
  return {
    matched: (source, { number, mark }) => add({ source, number, mark, matches: 1 }),
    tell,
    async close() {
      clearInterval(timer);
      await tell();
    },
  };
}

/** A turn of the housekeeping. */
export function forgetSecretUses(uses: Pick<SecretUses, 'forget'>) {
  return {
    task: 'secret uses',
    everyMs: FORGET_EVERY_MS,
    run: () => uses.forget(FORGET_AFTER_MS),
  };
}
