import type { Finding } from './checker.ts';

const IDS_SHOWN = 5;

/** One finding over all offenders, or none where there are none. */
export function findingOf<T>(
  rule: string,
  offenders: readonly T[],
  say: { readonly message: string; readonly id: (one: T) => string },
): readonly Finding[] {
  if (offenders.length === 0) return [];
  const ids = offenders.slice(0, IDS_SHOWN).map(say.id);
  return [{ rule, message: `${offenders.length} × ${say.message}`, ids }];
}
