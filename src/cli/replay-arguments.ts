// How the arguments of the replay and problem commands are read.

import { InvalidArgumentError } from 'commander';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { parseDurationMs, parseRate, type Rate } from '../model/units.ts';

/** One of some words, for `argument(…)` and `option(…)`. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`There is none such; ${didYouMeanOrKnown(text, words) ?? ''}`);
  };
}

/** `2h`: that long ago; or a time, such as `2026-11-22T08:00:00Z`. */
export function moment(text: string): string {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return new Date(Date.now() - agoMs).toISOString();
  const isTime = /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text));
  if (isTime) return new Date(text).toISOString();
  throw new InvalidArgumentError('It must be such as 2h, 30m, 3d, or 2026-11-22T08:00:00Z.');
}

export function rate(text: string): Rate {
  const found = parseRate(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('It must be such as 20/s, 600/m or 1000/h.');
}
