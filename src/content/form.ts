// Forms: `a=1&b=2&b=3` is `{"a":"1","b":["2","3"]}`.

import { decodeText } from './decode-text.ts';
import {
  type ContentLimits,
  Fields,
  type PlainObject,
  tooManyKeys,
  Unreadable,
} from './unreadable.ts';

/** All values are text; a name that comes more than once has a list of them. Throws `Unreadable`. */
export function parseForm(
  bytes: Buffer,
  limits: ContentLimits,
  charset: string | undefined,
): PlainObject {
  const fields = new Fields(limits.keysMax);
  const text = bytes.toString('latin1');
  let pairs = 0;
  for (let at = 0; at < text.length; ) {
    const end = endOf(text, '&', at);
    if (end > at) {
      pairs += 1;
      if (pairs > limits.keysMax) throw new Unreadable(tooManyKeys(limits.keysMax));
      const equals = Math.min(end, endOf(text, '=', at));
      fields.add(
        decode(text.slice(at, equals), charset),
        decode(text.slice(equals + 1, end), charset),
      );
    }
    at = end + 1;
  }
  return fields.object;
}

function endOf(text: string, separator: string, from: number): number {
  const at = text.indexOf(separator, from);
  return at === -1 ? text.length : at;
}

/** Escapes stand for bytes, of whatever charset; what is no escape stays as it is. */
function decode(text: string, charset: string | undefined): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  const plain = spaced.includes('%')
    ? spaced.replace(/%([\da-fA-F]{2})/g, (_escape, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : spaced;
  return decodeText(Buffer.from(plain, 'latin1'), { charset });
}
