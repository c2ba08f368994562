import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorsOf, linesOf, load, loadFiles, withProject } from '../support/definition-project.ts';

const web = 'kind: web\nbaseUrl: https://erp.example\noperations: { create: { post: /a } }\n';
const shop = 'receive: { verify: none, topic: { header: X-Topic } }\n';
const flow = 'from: { connector: shop, topics: [a] }\nto: erp.create\n';
const project = {
  'connectors/erp.yaml': web,
  'connectors/shop.yaml': shop,
  'flows/one.yaml': flow,
  'flows/one.test.yaml':
    '- name: n\n  webhook: { connector: shop, topic: a, body: {} }\n  expect: { state: delivered }\n',
};

async function lines(files: Readonly<Record<string, string | Buffer>>) {
  const found = linesOf(await loadFiles({ ...project, ...files }));
  return found.filter((line) => !line.includes('unverified-receiver'));
}

test('names that would not be picked up are mistakes that say what to rename to', async () => {
  const files = {
    'connectors/mail.yml': web,
    'flows/OrderToErp.yaml': flow,
    'flows/2nd.test.yml': '',
    'mappings/order_to_erp.jsonata': '$',
    'schemas/Sales.JSON': '{}',
  };
  assert.deepEqual(await lines(files), [
    'connectors/mail.yml:1:1 wrong-file-name this name would not be picked up (rename to mail.yaml)',
    'flows/2nd.test.yml:1:1 wrong-file-name this name would not be picked up (rename to nd.test.yaml)',
    'flows/OrderToErp.yaml:1:1 wrong-file-name this name would not be picked up (rename to order-to-erp.yaml)',
    'mappings/order_to_erp.jsonata:1:1 wrong-file-name this name would not be picked up (rename to order-to-erp.jsonata)',
    'schemas/Sales.JSON:1:1 wrong-file-name this name would not be picked up (rename to sales.json)',
  ]);
});

test('strays are pointed out, but not samples of tests, read-me files, dot-files and sub-folders', async () => {
  const files = {
    'flows/.keep': '',
    'flows/README.md': '# Flows',
    'flows/order.json': '{}',
    'flows/old.json': '{}',
    'flows/samples/other.json': '{}',
    'flows/one.test.yaml':
      '- name: n\n  webhook: { connector: shop, topic: a, bodyFile: order.json }\n  expect: { state: dead }\n',
  };
  assert.deepEqual(await lines(files), [
    'warning flows/old.json:1:1 unexpected-file is no definition, and no test refers to it (move it into a sub-folder, or out of here)',
  ]);
});

test('a folder that is called like a definition is pointed out', async () => {
  const files = { 'flows/dir.yaml/one.yaml': flow, 'mappings/samples/order.json': '{}' };
  assert.deepEqual(await lines(files), [
    'warning flows/dir.yaml:1:1 unexpected-file is a folder, and what is in it is not read (make it a file, or give it a name without an extension)',
  ]);
});

test('files that nothing uses are pointed out; a test of its own is no use of a mapping', async () => {
  const files = {
    'mappings/lost.jsonata': '$',
    'mappings/lost.test.yaml': '- { name: n, input: 1, output: 1 }\n',
    'schemas/lost.json': '{}',
    'connectors/idle.yaml': web,
  };
  assert.deepEqual(await lines(files), [
    'warning connectors/idle.yaml:1:1 unused-file no flow uses this file',
    'warning mappings/lost.jsonata:1:1 unused-file no flow uses this file',
    'warning schemas/lost.json:1:1 unused-file no flow uses this file',
  ]);
});

test('a test of nothing is a mistake, and so are names in it that do not exist', async () => {
  const files = {
    'mappings/gone.test.yaml': '- { name: n, input: 1, output: 1 }\n',
    'flows/one.test.yaml': `- name: n
  webhook: { connector: shpo, topic: a, body: {} }
  answers:
    erp.craete: [ { status: 200 } ]
  expect:
    state: deliverd
    requests: [ { to: epr.create } ]
`,
  };
  assert.deepEqual(await lines(files), [
    'flows/one.test.yaml:2:25 unknown-connector there is no connector "shpo" (did you mean "shop"?)',
    'flows/one.test.yaml:4:5 unknown-operation the connector "erp" has no operation "craete" (did you mean "create"?)',
    'flows/one.test.yaml:6:12 wrong-value "[1].expect.state" must be one of pending, active, retrying, held, delivered, filtered, dead, superseded, cancelled (did you mean "delivered"?)',
    'flows/one.test.yaml:7:23 unknown-connector there is no connector "epr" (did you mean "erp"?)',
    'mappings/gone.test.yaml:1:1 orphan-test there is no mappings/gone.jsonata to test',
  ]);
});

test('a case needs one input and one expectation, and its files must exist inside the project', async () => {
  const files = {
    'mappings/m.jsonata': '$',
    'flows/one.yaml': `${flow}map: m\n`,
    'mappings/m.test.yaml': `- { name: none }
- { name: two, input: 1, inputFile: a.json, output: 1 }
- { name: away, inputFile: ../.., output: 1 }
- { name: missing, input: 1, outputFile: no.json, output: 1 }
- name: late
  input: { id: 820982911946154508 }
  now: tomorrow
  error: x
`,
    'mappings/a.json': '1',
  };
  assert.deepEqual(await lines(files), [
    'mappings/m.test.yaml:1:3 missing-field "[1]" needs one of "input", "inputFile"',
    'mappings/m.test.yaml:1:3 missing-field "[1]" needs one of "output", "outputFile", "error"',
    'mappings/m.test.yaml:2:3 wrong-value "[2]" says the same thing in more than one way (keep one of them)',
    'mappings/m.test.yaml:3:28 file-outside-folder ".." leads out of the project folder',
    'mappings/m.test.yaml:4:3 wrong-value "[4]" says the same thing in more than one way (keep one of them)',
    'mappings/m.test.yaml:4:42 file-unreadable "mappings/no.json" cannot be read: ENOENT',
    'mappings/m.test.yaml:7:8 wrong-value "[5].now" is not written in its form (for example 2026-11-22T09:30:00Z)',
  ]);
});

test('a symbolic link out of the project is refused, one inside it is followed', async () => {
  await withProject({ ...project, 'shared/flow.yaml': flow }, async (folder) => {
    await symlink('/etc/hostname', join(folder, 'mappings-target'));
    await symlink(join(folder, 'shared/flow.yaml'), join(folder, 'flows/inside.yaml'));
    await symlink('/etc/hostname', join(folder, 'flows/outside.yaml'));
    await symlink(join(folder, 'nowhere'), join(folder, 'flows/broken.yaml'));
    const errors = errorsOf(await load(folder));
    assert.deepEqual(errors, [
      'flows/broken.yaml:1:1 file-unreadable cannot be read: ENOENT',
      'flows/outside.yaml:1:1 file-outside-folder leads out of the project folder',
    ]);
  });
});

test('a folder that is a symbolic link out of the project gives nothing away', async () => {
  await withProject({ 'secret.yaml': flow }, async (elsewhere) => {
    await withProject({ 'connectors/shop.yaml': shop }, async (folder) => {
      await symlink(elsewhere, join(folder, 'flows'));
      assert.deepEqual(errorsOf(await load(folder)), [
        'flows/secret.yaml:1:1 file-outside-folder leads out of the project folder',
      ]);
    });
  });
});

test('a file beyond one mebibyte and one that is no text are refused', async () => {
  const files = {
    'mappings/big.jsonata': Buffer.alloc(1_048_577, 32),
    'mappings/latin.jsonata': Buffer.from([0x22, 0xe9, 0x22]),
    'flows/one.yaml': flow,
  };
  assert.deepEqual(await lines(files), [
    'mappings/big.jsonata:1:1 file-too-large has 1048577 bytes; 1048576 are allowed',
    'mappings/latin.jsonata:1:1 file-not-utf8 is not UTF-8 text',
  ]);
});

test('a byte order mark is dropped, and Windows line ends do not move positions', async () => {
  const files = { 'flows/one.yaml': `\uFEFF${flow.replaceAll('\n', '\r\n')}when: 1\r\n` };
  assert.deepEqual(await lines(files), [
    'flows/one.yaml:3:7 wrong-type "when" must be text, not a number',
  ]);
});

test('aliases that multiply, deep nesting and many keys end quickly in a problem', async () => {
  const levels = 'bcdefghij'.split('').map((name, index) => {
    const before = 'abcdefghij'[index];
    return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
  });
  const laughs = `a: &a [lol]\n${levels.join('\n')}\n`;
  const startMs = Date.now();
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n');
  const found = await lines({
    'connectors/laughs.yaml': laughs,
    'connectors/deep.yaml': `a: ${'['.repeat(20_000)}`,
    'connectors/keys.yaml': `${keys}\n`,
  });
  assert.ok(found.some((line) => line.startsWith('connectors/laughs.yaml:1:1 yaml-too-complex')));
  assert.ok(found.some((line) => /^connectors\/deep\.yaml:.* yaml-too-complex/.test(line)));
  assert.ok(found.some((line) => line.startsWith('connectors/keys.yaml:1:1 unknown-field "k0"')));
  assert.ok(Date.now() - startMs < 20_000);
});

test('tags, duplicate keys and a second document are mistakes', async () => {
  const found = await lines({
    'flows/tag.yaml': `${flow}when: !!js/function 'x'\n`,
    'flows/twice.yaml': `${flow}to: erp.create\n`,
    'flows/two.yaml': `${flow}---\n${flow}`,
  });
  const errors = found.filter((line) => !line.startsWith('warning'));
  assert.deepEqual(
    errors.map((line) => line.split(' ', 2).join(' ')),
    [
      'flows/tag.yaml:3:7 yaml-syntax',
      'flows/twice.yaml:3:1 duplicate-key',
      'flows/two.yaml:3:1 yaml-syntax',
    ],
  );
});

test('a schema must be JSON and a strict JSON Schema with patterns of linear time', async () => {
  const files = {
    'flows/one.yaml': `${flow}validate: { input: good, output: broken }\n`,
    'schemas/good.json':
      '{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object" }',
    'schemas/broken.json': '{\n  "type": "object",\n}\n',
    'schemas/word.json': '{\n  "type": "object",\n  "requierd": ["a"]\n}\n',
    'schemas/pattern.json': '{ "type": "string", "pattern": "(?=a)b" }',
  };
  const found = (await lines(files)).filter((line) => !line.startsWith('warning'));
  assert.deepEqual(
    found.map((line) => line.split(' ', 2).join(' ')),
    [
      'schemas/broken.json:3:1 json-syntax',
      'schemas/pattern.json:1:1 schema-invalid',
      'schemas/word.json:3:3 schema-invalid',
    ],
  );
  assert.match(found[2] ?? '', /unknown keyword: "requierd"/);
});

test('two patterns of one schema are told apart', async () => {
  const schema = {
    $id: 'https://crossdock.example/same',
    type: 'object',
    properties: { a: { type: 'string', pattern: '^a$' }, b: { type: 'string', pattern: '(b' } },
  };
  const files = {
    'flows/one.yaml': `${flow}validate: { input: one, output: two }\n`,
    'schemas/one.json': JSON.stringify({ ...schema, properties: {} }),
    'schemas/two.json': JSON.stringify(schema),
  };
  const found = await lines(files);
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^schemas\/two\.json:1:1 schema-invalid/);
});

test('a folder without connectors is pointed out', async () => {
  const result = await loadFiles({});
  assert.deepEqual(linesOf(result), [
    'warning connectors:1:1 no-definitions there are no connectors here',
  ]);
  assert.equal(result.definitions?.flows.size, 0);
});
