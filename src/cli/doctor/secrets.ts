// Whether the secrets of receivers are in use, and which of them are not needed any more.

import type { ConnectorDefinition } from '../../definitions/definitions.ts';
import { waysOf } from '../../definitions/ways.ts';
import { secretPlaces } from '../../intake/secret-keys.ts';
import { markOf } from '../../intake/secret-uses.ts';
import type { SecretUse } from '../../journal/secret-uses-port.ts';
import { type Finding, pass, warn } from './finding.ts';

/** An old secret that matched within this time may still be what the sender signs with. */
const IN_USE_MS = 24 * 3_600_000;

interface Secret {
  readonly number: number;
  readonly use?: SecretUse;
}

/** One row for each receiver that has secrets and has matched one. */
export function judgeSecrets(
  connectors: Iterable<ConnectorDefinition>,
  uses: readonly SecretUse[],
  nowMs: number,
): readonly Finding[] {
  return [...connectors].flatMap(({ id, receive }) => {
    const ways = waysOf(receive?.verify);
    // Ways that share the secrets of `receive` have the same list; others have one of their own.
    return [...secretPlaces(ways)].flatMap(([list, before]) => {
      const secrets = list.map(({ value }, index): Secret => {
        const mark = markOf(id, value);
        const use = uses.find((one) => one.source === id && one.mark === mark);
        return { number: before + index + 1, ...(use === undefined ? {} : { use }) };
      });
      return secrets.some(({ use }) => use !== undefined) ? [judge(id, secrets, nowMs)] : [];
    });
  });
}

function judge(id: string, secrets: readonly Secret[], nowMs: number): Finding {
  const what = `secrets of ${id}`;
  const found = secrets.map((secret) => lastMatch(secret, nowMs)).join(', ');
  const [newest, ...older] = secrets;
  const idle = older.filter(({ use }) => !isInUse(use, nowMs));
  if (newest?.use !== undefined && idle.length > 0) {
    const numbers = idle.map(({ number }) => number).join(' and ');
    return warn(
      what,
      found,
      `The newest is in use: take secret ${numbers} out of receive.secrets.`,
    );
  }
  if (newest?.use === undefined) {
    return warn(what, found, 'The sender does not use the newest secret yet: set it there.');
  }
  return pass(what, found);
}

function isInUse(use: SecretUse | undefined, nowMs: number): boolean {
  return use !== undefined && nowMs - use.lastAt.getTime() < IN_USE_MS;
}

function lastMatch({ number, use }: Secret, nowMs: number): string {
  if (use === undefined) return `${number} never matched`;
  return `${number} matched ${ago(nowMs - use.lastAt.getTime())} ago`;
}

function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`;
}
