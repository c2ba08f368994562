import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkJson } from '../../src/content/check-json.ts';
import { contentOf } from '../../src/content/content.ts';
import { contentLimits, toJson } from '../../src/content/to-json.ts';

const read = async (type: string | undefined, body: Buffer | string, limits = contentLimits) => {
  const bytes = Buffer.from(body as string);
  const reading = await toJson(type === undefined ? {} : { 'content-type': type }, bytes, limits);
  return reading.kind === 'json' ? reading.json.toString() : `unreadable: ${reading.reason}`;
};
const json = async (type: string | undefined, body: Buffer | string) =>
  JSON.parse(await read(type, body)) as unknown;

describe('what a body is', () => {
  const kind = (type: string | undefined, body: string | Buffer) =>
    contentOf(type === undefined ? {} : { 'content-type': type }, Buffer.from(body as string)).kind;

  test('is said by Content-Type, in any case and with parameters', () => {
    assert.equal(kind('Application/JSON; charset=UTF-8', 'x'), 'json');
    assert.equal(kind('application/vnd.api+json', 'x'), 'json');
    assert.equal(kind('application/cloudevents+json', 'x'), 'json');
    assert.equal(kind('application/x-ndjson', 'x'), 'ndjson');
    assert.equal(kind('application/x-www-form-urlencoded', 'a=1'), 'form');
    assert.equal(kind('application/soap+xml; charset="utf-8"', '<a/>'), 'xml');
    assert.equal(kind('multipart/form-data; boundary=x', ''), 'multipart');
    assert.equal(kind('text/csv', '{'), 'text');
    assert.equal(kind('application/pdf', '{}'), 'binary');
  });

  test('is seen in its first bytes where Content-Type says nothing', () => {
    assert.equal(kind(undefined, ' \n{"a":1}'), 'json');
    assert.equal(kind(undefined, '[broken'), 'json');
    assert.equal(kind('text/plain; charset=UTF-8', '{"Type":"Notification"}'), 'json');
    assert.equal(kind('text/plain', 'hello'), 'text');
    assert.equal(kind('application/x-www-form-urlencoded', '{"a":1}'), 'json');
    assert.equal(kind('application/x-www-form-urlencoded', '{a=1'), 'form');
    assert.equal(kind(undefined, '<?xml version="1.0"?><a/>'), 'xml');
    assert.equal(kind(undefined, '"a result"'), 'json');
    assert.equal(kind(undefined, 'hello'), 'json');
    assert.equal(kind(undefined, Buffer.from([0xff, 0x00, 0x81])), 'json');
  });
});

describe('the JSON of a body', () => {
  test('that is JSON in UTF-8 is the very same bytes', async () => {
    const bytes = Buffer.from('{ "id": 820982911946154508, "price": 10.10, "ü": "é" }');
    const reading = await toJson({ 'content-type': 'application/json' }, bytes);
    assert.equal(reading.kind === 'json' && reading.json, bytes);
  });

  test('in another charset is the same text in UTF-8, numbers as they were', async () => {
    const text = '{"ü":10.10,"id":820982911946154508}';
    const big = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
    assert.equal(await read('application/json', `\ufeff${text}`), text);
    assert.equal(await read('application/json', Buffer.from(`\ufeff${text}`, 'utf16le')), text);
    assert.equal(await read('application/json', Buffer.from(text, 'utf16le')), text);
    assert.equal(await read(undefined, big), text);
    assert.equal(await read('application/json; charset=utf-16be', big.subarray(2)), text);
    assert.equal(
      await read('application/json;charset=ISO-8859-1', Buffer.from(text, 'latin1')),
      text,
    );
    assert.equal(await read('application/json;charset=ISO-8859-1', text), text);
  });

  test('in no charset that is known, or none that fits, is unreadable', async () => {
    const bytes = Buffer.from('{"ü":1}', 'latin1');
    assert.match(await read('application/json', bytes), /^unreadable: not JSON: the bytes are not/);
    const odd = await read('application/json; charset=klingon', bytes);
    assert.equal(odd, 'unreadable: the charset "klingon" is not known');
  });

  test('of a form is an object, with lists where a name comes again', async () => {
    const form = 'a=1&b=x+y&a=%C3%BC&c&=e&__proto__=p&a=3';
    const type = 'application/x-www-form-urlencoded';
    assert.equal(
      await read(type, form),
      '{"a":["1","ü","3"],"b":"x y","c":"","":"e","__proto__":"p"}',
    );
    assert.equal(await read(`${type}; charset=windows-1252`, 'a=%FC%80'), '{"a":"ü€"}');
    assert.equal(await read(type, 'a=%zz%4'), '{"a":"%zz%4"}');
  });

  test('of lines is their list, and a broken line says which', async () => {
    const lines = '{"a":10.10}\r\n\n[1]\n 3 \n';
    assert.equal(await read('application/x-ndjson', lines), '[{"a":10.10},[1], 3 ]');
    assert.match(await read('application/x-ndjson', '1\n{'), /^unreadable: line 2: not JSON/);
  });

  test('of XML has attributes, lists and text', async () => {
    const xml = `<?xml version="1.0" encoding="UTF-8"?><!-- c -->
      <s:order id="7" n='a&amp;b'> x <line>1</line><line>2</line><e/><t> &#252;&#x20AC;<![CDATA[<&amp;>]]> </t>
        <__proto__>p</__proto__></s:order>`;
    assert.deepEqual(
      JSON.stringify(await json('application/xml', xml)),
      JSON.stringify(
        JSON.parse(
          '{"s:order":{"@id":"7","@n":"a&b","line":["1","2"],"e":"","t":"ü€<&amp;>","__proto__":"p","#text":"x"}}',
        ),
      ),
    );
    const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>', 'latin1');
    assert.equal(await read('text/xml', latin), '{"a":"ü"}');
  });

  test('of XML with a document type, entities of its own or faults says where', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', /document type \(DTD\) is not taken, at line 1/],
      ['<a>\n &lol;</a>', /an entity that XML has not/],
      ['<a>&#0;</a>', /an entity that XML has not/],
      ['<a><b></a></b>', /an end that belongs to no open element/],
      ['<a>', /an element is not closed/],
      ['<a/><b/>', /more than one element/],
      ['<a b=1/>', /no value in quotes/],
      ['<a b="1" b="2"/>', /an attribute comes twice/],
      ['text', /text outside of the element/],
      ['', /there is no element/],
      ['<a><![CDATA[', /"\]\]>" is missing/],
      [`${'<a>'.repeat(101)}${'</a>'.repeat(101)}`, /nested deeper than 100 levels/],
    ];
    for (const [xml, message] of cases) assert.match(await read('text/xml', xml), message, xml);
  });

  test('of parts has fields and files', async () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('a', 'ü');
    form.append('f', new File([Buffer.from([0, 255])], 'x.bin', { type: 'image/png' }));
    const response = new Response(form);
    const type = response.headers.get('content-type') ?? '';
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.deepEqual(await json(type, bytes), {
      a: ['1', 'ü'],
      f: { filename: 'x.bin', type: 'image/png', base64: 'AP8=' },
    });
    assert.match(await read(type, bytes.subarray(0, 90)), /unreadable: not multipart/);
    assert.match(await read('multipart/form-data', bytes), /names no boundary/);
  });

  test('of text and of bytes is told as such', async () => {
    assert.equal(await read('text/plain', 'hé'), '{"text":"hé"}');
    assert.equal(
      await read('text/plain; charset=latin1', Buffer.from('hé', 'latin1')),
      '{"text":"hé"}',
    );
    assert.equal(await read('image/png', Buffer.from([0, 255])), '{"base64":"AP8="}');
  });

  test('holds its limits', async () => {
    const limits = { depthMax: 3, keysMax: 4 };
    const type = 'application/x-www-form-urlencoded';
    assert.match(await read(type, 'a&b&c&d&e', limits), /more than 4 names/);
    assert.match(await read('text/xml', '<a><b><c><d/></c></b></a>', limits), /deeper than 3/);
    assert.match(
      await read('text/xml', '<a b="" c="" d="" e="" f=""/>', limits),
      /more than 4 names/,
    );
    assert.equal(checkJson(Buffer.from('[[[1]]]'), limits), undefined);
    assert.equal(checkJson(Buffer.from('[[[[]]]]'), limits), 'nested deeper than 3 levels');
    assert.match(
      checkJson(Buffer.from('{"a":1,"b":1,"c":1,"d":1,"e":1}'), limits) ?? '',
      /4 names/,
    );
    assert.match(
      checkJson(Buffer.from('['.repeat(1_000_000)), contentLimits) ?? '',
      /deeper than 100/,
    );
  });
});

describe('hostile bodies', () => {
  const types = [
    undefined,
    'application/json',
    'application/json; charset=utf-16',
    'application/x-ndjson',
    'application/x-www-form-urlencoded',
    'text/xml',
    'multipart/form-data; boundary=b',
    'text/plain; charset=shift_jis',
    'application/octet-stream',
    'text/html; charset=\u0000',
  ];
  const pieces = fc.constantFrom(
    ...[
      '<a',
      '>',
      '</a>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '&amp;',
      '&',
      '"',
      '=',
      '{',
      '}',
      '[',
    ],
    ...[
      ']',
      ',',
      ':',
      '\\u',
      '%',
      '+',
      '\n',
      '--b\r\n',
      '\r\n\r\n',
      '--b--',
      '\u0000',
      '1e999',
      'x',
    ],
    ...['Content-Disposition: form-data; name="a"', '__proto__', '\ufeff', '<!DOCTYPE', '<?', ' '],
  );

  test('never throw, and come to JSON or to a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
          fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(all.join(''))),
        ),
        async (type, bytes) => {
          const headers = type === undefined ? {} : { 'content-type': type };
          const reading = await toJson(headers, bytes);
          if (reading.kind === 'unreadable') assert.ok(reading.reason.length > 5);
          else if (contentOf(headers, bytes).kind !== 'json') JSON.parse(reading.json.toString());
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test('of a megabyte are read or refused in bounded time', async () => {
    const xml = 'text/xml';
    const form = 'application/x-www-form-urlencoded';
    const bombs: readonly (readonly [string, string])[] = [
      [xml, '<'.repeat(1e6)],
      [xml, '<a>'.repeat(3e5)],
      [xml, `<a ${Array.from({ length: 60_000 }, (_, at) => `a${at}="v"`).join(' ')}/>`],
      [xml, `<a>${'<b>1</b>'.repeat(120_000)}</a>`],
      [xml, `<a>${'&amp;'.repeat(200_000)}</a>`],
      [xml, `<a>${'<!--'.repeat(250_000)}`],
      [xml, `<a b="${' '.repeat(1e6)}`],
      [xml, `<a${' '.repeat(1e6)}`],
      [form, 'a&'.repeat(5e5)],
      [form, `a=${'%'.repeat(1e6)}`],
      ['multipart/form-data; boundary=b', '--b\r\n'.repeat(2e5)],
      ['application/x-ndjson', '1\n'.repeat(5e5)],
      ['application/json', '['.repeat(1e6)],
    ];
    for (const [type, body] of bombs) {
      const startedMs = performance.now();
      await read(type, body);
      const ms = performance.now() - startedMs;
      assert.ok(ms < 3_000, `${type} ${body.slice(0, 20)}… took ${ms} ms`);
    }
  });
});
