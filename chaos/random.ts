import { uniform } from '../demo/uniform.ts';

/** Chance that repeats itself: the same seed gives the same numbers in the same order. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  between(min: number, max: number): number;
  pick<T>(list: readonly T[]): T;
}

export function createRandom(seed: string): Random {
  let drawn = 0;
  const next = (): number => {
    drawn += 1;
    return uniform(seed, drawn);
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    pick<T>(list: readonly T[]): T {
      const picked = list[between(0, list.length - 1)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
  };
}
