// Bodies that a vendor should not send and that one sends all the same.

import type { Ending } from '../checker.ts';

export interface OddBody {
  readonly what: string;
  readonly body: Buffer;
  readonly endings: readonly Ending[];
}

const read: readonly Ending[] = [{ state: 'delivered' }];
const unread: readonly Ending[] = [{ state: 'dead', code: 'body-unreadable' }];
/** Whether it counts as JSON is a matter of taste. */
const either: readonly Ending[] = [...read, ...unread];

const utf8 = (text: string): Buffer => Buffer.from(text);

export const oddBodies: readonly OddBody[] = [
  { what: 'cut off', body: utf8('{"id":1,"seq":'), endings: unread },
  { what: 'empty', body: Buffer.alloc(0), endings: either },
  { what: 'white space', body: utf8(' \n\t '), endings: either },
  { what: 'null', body: utf8('null'), endings: read },
  { what: 'a number', body: utf8('42'), endings: read },
  { what: 'a list', body: utf8('[]'), endings: read },
  { what: 'words', body: utf8('hello world'), endings: unread },
  { what: 'a form', body: utf8('id=1&seq=2'), endings: unread },
  { what: 'XML', body: utf8('<order id="1"/>'), endings: unread },
  { what: 'two documents', body: utf8('{"a":1}{"a":2}'), endings: unread },
  { what: 'a comma too many', body: utf8('{"a":1,}'), endings: unread },
  { what: 'single quotes', body: utf8("{'a':1}"), endings: unread },
  { what: 'NaN', body: utf8('{"a":NaN}'), endings: unread },
  { what: 'a NUL byte', body: utf8('{"a":"\u0000"}'), endings: unread },
  { what: 'an escaped NUL', body: utf8('{"a":"\\u0000"}'), endings: read },
  { what: 'a lone surrogate', body: utf8('{"a":"\\ud800"}'), endings: either },
  { what: 'a line break in a text', body: utf8('{"a":"x\ny"}'), endings: unread },
  { what: 'a byte order mark', body: utf8('\ufeff{"a":1}'), endings: either },
  { what: 'UTF-16', body: Buffer.from('{"a":1}', 'utf16le'), endings: read },
  { what: 'Latin-1', body: Buffer.from('{"a":"Zürich"}', 'latin1'), endings: unread },
  {
    what: 'bytes that are no text',
    body: Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]),
    endings: unread,
  },
  { what: 'an overlong slash', body: Buffer.from([0x22, 0xc0, 0xaf, 0x22]), endings: unread },
  { what: 'a key twice', body: utf8('{"a":1,"a":2}'), endings: either },
  { what: '__proto__', body: utf8('{"__proto__":{"x":1},"constructor":{"y":2}}'), endings: either },
  { what: '1e400', body: utf8('{"a":1e400}'), endings: either },
  { what: '300 digits', body: utf8(`{"a":${'9'.repeat(300)}}`), endings: either },
  { what: 'a text of 300 kB', body: utf8(`{"a":"${'x'.repeat(300_000)}"}`), endings: either },
  { what: '20,000 keys', body: utf8(manyKeys(20_000)), endings: unread },
  { what: '101 levels', body: utf8(nested(101)), endings: unread },
  { what: '100,000 levels', body: utf8(nested(100_000)), endings: unread },
];

function manyKeys(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}
