// `$slug` and `$hash`.

import { createHash } from 'node:crypto';
import { FunctionError } from './evaluation.ts';

const algorithms = ['sha256', 'sha512', 'sha1', 'md5'];

const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

export const textFunctions = {
  slug: (text: unknown) =>
    toText(text)
      .toLowerCase()
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/[ßæœøđðþłı]/g, (letter) => letters[letter] ?? '')
      .split(/[^a-z0-9]/)
      .filter((word) => word !== '')
      .join('-'),
  hash: (text: unknown, algorithm: unknown, encoding: unknown) => {
    const name = algorithm ?? 'sha256';
    if (typeof name !== 'string' || !algorithms.includes(name)) {
      throw new FunctionError(`argument 2 must be one of ${algorithms.join(', ')}`);
    }
    const form = encoding ?? 'hex';
    if (form !== 'hex' && form !== 'base64' && form !== 'base64url') {
      throw new FunctionError('argument 3 must be hex, base64 or base64url');
    }
    return createHash(name).update(toText(text)).digest(form);
  },
};

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new FunctionError('argument 1 must be a text');
}
