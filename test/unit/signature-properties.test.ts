// What holds of every signature, place, template and list, whatever the request.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseListPath, parseTemplate } from '../../src/definitions/template.ts';
import { elementsOf } from '../../src/intake/elements.ts';
import { type Readable, renderText } from '../../src/intake/read-place.ts';
import { parseTimeMs } from '../../src/intake/timestamp.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { flipped } from '../support/attack-table.ts';
import { isAuthentic, receiveOf, verdictOf } from '../support/receiver.ts';

const runs = { numRuns: 60 };
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array));
const secret = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => text.trim() !== '');
const headerText = fc.stringMatching(/^[!-~]{1,30}$/);
const encodings = ['hex', 'base64', 'base64url'] as const;
const hashes = ['sha1', 'sha256', 'sha512'] as const;

interface Sent {
  readonly body: Buffer;
  readonly key: string;
  readonly id: string;
  readonly time: number;
  readonly hash: (typeof hashes)[number];
  readonly encoding: (typeof encodings)[number];
}

const sent = fc.record<Sent>({
  body: bytes,
  key: secret,
  id: headerText,
  time: fc.integer({ min: 0, max: 4_000_000_000 }),
  hash: fc.constantFrom(...hashes),
  encoding: fc.constantFrom(...encodings),
});

function receiverOf({ key, hash, encoding }: Sent) {
  const verify = {
    hmac: hash,
    header: 'X-Signature',
    encoding,
    prefix: 'v=',
    signs: '{header:X-Id}.{timestamp}.{body}',
    timestamp: { header: 'X-Time', tolerance: '300s' },
  };
  return receiveOf({ verify, secrets: [key] });
}

function headersOf({ body, key, id, time, hash, encoding }: Sent) {
  const hmac = createHmac(hash, key).update(`${id}.${time}.`).update(body);
  return { 'X-Id': id, 'X-Time': String(time), 'X-Signature': `v=${hmac.digest(encoding)}` };
}

test('what is signed is let in, whatever the bytes of the body and the secret', async () => {
  await fc.assert(
    fc.asyncProperty(sent, async (one) => {
      const request = { headers: headersOf(one), body: one.body };
      const verdict = await verdictOf(receiverOf(one), request, { nowMs: one.time * 1_000 });
      assert.deepEqual(verdict, { kind: 'authentic', secret: 1 });
    }),
    runs,
  );
});

test('one changed byte in any signed part is refused', async () => {
  await fc.assert(
    fc.asyncProperty(sent, fc.nat(), fc.integer({ min: 1, max: 255 }), async (one, at, mask) => {
      const nowMs = one.time * 1_000;
      const receive = receiverOf(one);
      const headers = headersOf(one);
      const body = Buffer.from(one.body);
      const place = at % body.length;
      body[place] = (body[place] ?? 0) ^ mask;
      assert.equal(await isAuthentic(receive, { headers, body }, { nowMs }), false);
      for (const [name, text] of Object.entries(headers)) {
        const changed = flipped(Buffer.from(text), at % text.length).toString();
        const forged = { headers: { ...headers, [name]: changed }, body: one.body };
        // Hexadecimal says the same in both cases of a letter.
        const isSame = changed.toLowerCase() === text.toLowerCase() && one.encoding === 'hex';
        assert.equal(
          await isAuthentic(receive, forged, { nowMs }),
          isSame && name === 'X-Signature',
        );
      }
    }),
    runs,
  );
});

const ways: readonly JsonObject[] = [
  { hmac: 'sha256', header: 'X-Signature', encoding: 'base64' },
  { hmac: 'sha1', header: 'X-Signature', encoding: 'hex', prefix: 'sha1=' },
  {
    hmac: 'sha256',
    header: 'X-Signature',
    encoding: 'hex',
    pairs: 'v1',
    signs: '{timestamp}.{body}',
    timestamp: { pair: 't', tolerance: '300s' },
  },
  { hmac: 'sha256', header: 'X-Signature', encoding: 'base64', tagged: 'v1', key: 'whsec' },
  { hash: 'sha256', header: 'X-Signature', encoding: 'hex', signs: '{secret}{body}' },
  { hmac: 'sha256', json: 'a.b', encoding: 'hex', each: 'items[].x', signs: '{json:c}' },
  { hmac: 'sha1', header: 'X-Signature', encoding: 'base64', signs: '{url}{form.sorted}' },
  { token: { header: 'X-Signature', prefix: 'Bearer ' } },
  { basic: true },
];

const pieces = [
  'v1',
  't',
  '=',
  ',',
  ' ',
  'sha1=',
  'Bearer ',
  'Basic ',
  'AAAA',
  '00',
  '\u00ff',
  '==',
];
const garbage = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((list) => list.join('')),
  fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array).toString('base64')),
  fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array).toString('hex')),
);

test('garbage never passes and never throws, whatever the way', async () => {
  const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const receivers = ways.map((verify) => receiveOf({ verify, secrets: [key] }));
  await fc.assert(
    fc.asyncProperty(garbage, garbage, fc.oneof(bytes, fc.json()), async (one, two, body) => {
      const headers = { 'X-Signature': one, Authorization: two, 'X-Time': two };
      for (const receive of receivers) {
        assert.equal((await verdictOf(receive, { headers, body })).kind, 'refused');
      }
    }),
    runs,
  );
});

const nothing: Readable = { read: () => undefined, token: () => undefined };

test('a template is parsed or told to be wrong, and never throws', () => {
  const lumps = ['{', '}', '[', ']', '{body}', '{header:X}', '{json:a[0].b}', '{json:', 'x', '.'];
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...lumps), { maxLength: 12 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, (one) => {
      const parsed = parseTemplate(one);
      if ('value' in parsed) assert.equal(typeof renderText(parsed.value, nothing), 'string');
      parseListPath(one);
      parseTimeMs(one);
    }),
    { numRuns: 500 },
  );
});

test('a template without placeholders comes to itself', () => {
  const balanced = fc.stringMatching(/^([a-z .:,]|\[[a-z ]*\]){1,20}$/);
  fc.assert(
    fc.property(balanced, (text) => {
      const parsed = parseTemplate(text);
      assert.ok('value' in parsed, text);
      assert.equal(renderText(parsed.value, nothing), text);
    }),
  );
});

const white = fc.constantFrom('', '', ' ', '\n  ', '\t', '\r\n');
const numeral = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom('1.10', '-0', '1E400', '0.1000000000000000055511151231257827', '1e-7'),
);
const scalar = fc.oneof(
  numeral,
  fc.constantFrom('true', 'false', 'null', '"\\u005d\\"["', '"}\\\\"'),
  fc.string().map((text) => JSON.stringify(text)),
);

/** Texts of JSON values with white space wherever it may stand, but not around them. */
const { value } = fc.letrec<{ value: string; list: string; map: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie('list'), tie('map')),
  list: fc.tuple(fc.array(tie('value'), { maxLength: 4 }), white).map(([all, w]) => listOf(all, w)),
  map: fc
    .tuple(fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }), white)
    .map(([all, w]) => {
      const fields = all.map(([name, text]) => `${w}${JSON.stringify(name)}${w}:${w}${text}`);
      return `{${fields.join(`${w},`)}${w}}`;
    }),
}));

function listOf(elements: readonly string[], w: string): string {
  return `[${w}${elements.join(`${w},${w}`)}${w}]`;
}

test('the elements of a list are the texts that were written, to the last digit', () => {
  const whole = { path: [], item: [], text: '[]' };
  const inside = { path: ['data', 1, 'items'], item: ['event'], text: 'data[1].items[].event' };
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), white, (elements, w) => {
      const list = listOf(elements, w);
      const texts = (json: string, path: Parameters<typeof elementsOf>[1]) =>
        elementsOf(Buffer.from(json), path).map(String);
      assert.deepEqual(texts(`${w}${list}${w}`, whole), elements);
      const wrapped = listOf(
        elements.map((text) => `{"event":0,${w}"other":${text},"event"${w}:${w}${text}${w}}`),
        w,
      );
      const body = `{"data":0,"data":[{},${w}{"items":${wrapped}}]}`;
      assert.deepEqual(texts(body, inside), elements);
      const theirs = (JSON.parse(list) as readonly unknown[]).map((one) => JSON.stringify(one));
      const ours = texts(list, whole).map((one) => JSON.stringify(JSON.parse(one)));
      assert.deepEqual(ours, theirs);
    }),
    { numRuns: 200 },
  );
});

test('a text that is no JSON, or has no such list, has no elements', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        value.map((text) => text.slice(0, -1)),
      ),
      (text) => {
        const elements = elementsOf(Buffer.from(text), {
          path: ['none'],
          item: [],
          text: 'none[]',
        });
        assert.deepEqual(elements, []);
      },
    ),
    { numRuns: 200 },
  );
});
