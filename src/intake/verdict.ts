/** Why a request is not let in. Each has a sentence in docs/receiving.md. */
export type RefusalCode =
  | 'signature-missing'
  | 'signature-repeated'
  | 'signature-unreadable'
  | 'signature-wrong'
  | 'secret-expired'
  | 'timestamp-missing'
  | 'timestamp-unreadable'
  | 'too-old'
  | 'too-early'
  | 'credentials-missing'
  | 'credentials-wrong'
  | 'token-invalid'
  | 'address-not-listed'
  | 'subject-not-listed'
  | 'not-equal'
  | 'key-unavailable'
  | 'key-not-allowed';

/** Whether a request is from who it says. */
export type Verdict =
  | {
      readonly kind: 'authentic';
      /** Which secret fitted, from 1 as they stand in the file; absent where none is used. */
      readonly secret?: number;
    }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      /** One clause for people: what was found and what was wanted; no secret, no body. */
      readonly reason: string;
    };

export function refused(code: RefusalCode, reason: string): Verdict {
  return { kind: 'refused', code, reason };
}

/**
 * What several ways come to of which one is enough: the first that fits. Otherwise one that could
 * not be decided goes first, so that the sender comes again, then one that came further than to
 * find nothing.
 */
export function firstTold(verdicts: readonly Verdict[]): Verdict {
  const nothing = refused('signature-missing', 'there is no way to verify');
  return (
    verdicts.find(({ kind }) => kind === 'authentic') ??
    verdicts.find((one) => isRefused(one, /^key-unavailable$/)) ??
    verdicts.find((one) => !isRefused(one, /-missing$/)) ??
    verdicts[0] ??
    nothing
  );
}

function isRefused(verdict: Verdict, code: RegExp): boolean {
  return verdict.kind === 'refused' && code.test(verdict.code);
}
