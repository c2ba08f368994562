// XML to text, lists and objects, in one pass without recursion and in time linear to the text.
//
// `<order id="7"><line>a</line><line>b</line>x</order>` becomes
// `{"order":{"@id":"7","line":["a","b"],"#text":"x"}}`: attributes are "@name"; an element that comes
// more than once is a list; text is the element's value where it has nothing else, and "#text" beside
// what else it has, without the white space at its ends. Every value is text. Names keep their prefix
// (`soap:Body`). Comments and processing instructions are left out. A document type is refused, and
// with it every entity but the five of XML itself and characters by number.

import {
  type ContentLimits,
  Fields,
  type Plain,
  type PlainObject,
  Unreadable,
} from './unreadable.ts';

interface Element {
  readonly name: string;
  readonly fields: Fields;
  readonly text: string[];
}

interface Cursor {
  readonly text: string;
  at: number;
  readonly open: Element[];
  readonly root: Fields;
  readonly limits: ContentLimits;
}

const plainNameAt = /[A-Za-z_:][A-Za-z0-9_:.-]*(?=[\s=/>])/y;
const nameAt = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\-\u00b7]*/uy;
const attributeAt = /\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const whiteAt = /\s*/y;

/** Throws `Unreadable` where the text is no well-formed document, has a DTD or is beyond a limit. */
export function parseXml(text: string, limits: ContentLimits): PlainObject {
  const cursor: Cursor = { text, at: 0, open: [], root: new Fields(limits.keysMax), limits };
  while (cursor.at < text.length) {
    const next = text.indexOf('<', cursor.at);
    addText(cursor, decodeEntities(cursor, next === -1 ? text.length : next));
    if (next === -1) break;
    cursor.at = next;
    readMarkup(cursor);
  }
  const unclosed = cursor.open.at(-1);
  if (unclosed !== undefined) throw broken(cursor, 'an element is not closed');
  if (cursor.root.size === 0) throw broken(cursor, 'there is no element');
  return cursor.root.object;
}

function readMarkup(cursor: Cursor): void {
  const { text, at } = cursor;
  if (text.startsWith('<!--', at)) skipTo(cursor, '-->');
  else if (text.startsWith('<?', at)) skipTo(cursor, '?>');
  else if (text.startsWith('<![CDATA[', at)) readCdata(cursor);
  else if (text.startsWith('<!', at)) throw broken(cursor, 'a document type (DTD) is not taken');
  else if (text.startsWith('</', at)) closeElement(cursor);
  else openElement(cursor);
}

/** Returns what stands between the cursor and `end`, and moves behind that. */
function skipTo(cursor: Cursor, end: string): string {
  const found = cursor.text.indexOf(end, cursor.at);
  if (found === -1) throw broken(cursor, `"${end}" is missing`);
  const skipped = cursor.text.slice(cursor.at, found);
  cursor.at = found + end.length;
  return skipped;
}

function readCdata(cursor: Cursor): void {
  if (cursor.open.length === 0) throw broken(cursor, 'text outside of the element');
  addText(cursor, skipTo(cursor, ']]>').slice('<![CDATA['.length));
}

function addText(cursor: Cursor, text: string): void {
  if (text === '') return;
  const element = cursor.open.at(-1);
  if (element !== undefined) element.text.push(text);
  else if (text.trim() !== '') throw broken(cursor, 'text outside of the element');
}

function openElement(cursor: Cursor): void {
  cursor.at += 1;
  if (cursor.open.length === 0 && cursor.root.size > 0) {
    throw broken(cursor, 'there is more than one element at the top');
  }
  const { depthMax, keysMax } = cursor.limits;
  if (cursor.open.length >= depthMax) throw new Unreadable(`nested deeper than ${depthMax} levels`);
  const name = readName(cursor);
  const fields = new Fields(keysMax);
  while (readWhite(cursor) && !'/>'.includes(cursor.text.charAt(cursor.at))) {
    readAttribute(cursor, fields);
  }
  const element: Element = { name, fields, text: [] };
  if (cursor.text.startsWith('/>', cursor.at)) {
    cursor.at += 2;
    addElement(cursor, element);
    return;
  }
  expectEnd(cursor);
  cursor.open.push(element);
}

function readAttribute(cursor: Cursor, fields: Fields): void {
  const name = `@${readName(cursor)}`;
  attributeAt.lastIndex = cursor.at;
  const match = attributeAt.exec(cursor.text);
  if (match === null) throw broken(cursor, 'an attribute has no value in quotes');
  if (name in fields.object) throw broken(cursor, 'an attribute comes twice');
  fields.add(name, withEntities(cursor, match[1] ?? match[2] ?? ''));
  cursor.at = attributeAt.lastIndex;
}

function closeElement(cursor: Cursor): void {
  cursor.at += 2;
  const name = readName(cursor);
  const element = cursor.open.pop();
  if (element?.name !== name) throw broken(cursor, 'an end that belongs to no open element');
  readWhite(cursor);
  expectEnd(cursor);
  addElement(cursor, element);
}

function addElement(cursor: Cursor, element: Element): void {
  const parent = cursor.open.at(-1)?.fields ?? cursor.root;
  parent.add(element.name, plainOf(element));
}

function plainOf({ fields, text }: Element): Plain {
  const joined = text.join('').trim();
  if (fields.size === 0) return joined;
  if (joined !== '') fields.add('#text', joined);
  return fields.object;
}

function expectEnd(cursor: Cursor): void {
  if (cursor.text.charAt(cursor.at) !== '>') throw broken(cursor, '">" is missing');
  cursor.at += 1;
}

function readName(cursor: Cursor): string {
  // Nearly every name is ASCII, and the classes of Unicode are slow.
  const name = match(plainNameAt, cursor) ?? match(nameAt, cursor);
  if (name === undefined) throw broken(cursor, 'a name is missing');
  cursor.at += name.length;
  return name;
}

function match(pattern: RegExp, { text, at }: Cursor): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** `false` at the end of the text, where nothing can follow. */
function readWhite(cursor: Cursor): boolean {
  whiteAt.lastIndex = cursor.at;
  whiteAt.test(cursor.text);
  cursor.at = whiteAt.lastIndex;
  return cursor.at < cursor.text.length;
}

function decodeEntities(cursor: Cursor, end: number): string {
  return withEntities(cursor, cursor.text.slice(cursor.at, end));
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function withEntities(cursor: Cursor, text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|([a-z]{2,4}))?(;?)/g, (...match) => {
    const [, decimal, hex, name, end] = match as (string | undefined)[];
    const code = decimal === undefined ? Number.parseInt(hex ?? 'none', 16) : Number(decimal);
    const known = Number.isNaN(code) ? entities[name ?? ''] : characterOf(code);
    if (end !== ';' || known === undefined) throw broken(cursor, 'an entity that XML has not');
    return known;
  });
}

function characterOf(code: number): string | undefined {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function broken({ text, at }: Cursor, what: string): Unreadable {
  const lines = text.slice(0, at).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return new Unreadable(`not XML: ${what}, at line ${lines.length} column ${column}`);
}
