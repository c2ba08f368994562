import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cliFixtures, runCrossdock } from '../support/run-crossdock.ts';

const folder = await mkdtemp(join(tmpdir(), 'crossdock-cli-map-'));
after(() => rm(folder, { recursive: true }));

const order = join(cliFixtures, 'good', 'mappings', 'samples', 'order.json');

test('prints the output with every digit', async () => {
  const { code, stdout } = await runCrossdock(['map', 'order-to-erp', order]);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.ok(lines.includes('  "externalId": "820982911946154508",'));
  assert.ok(lines.includes('  "customer": 115310627314723954,'));
  assert.ok(lines.includes('  "total": 10.10'));
});

test('--json prints one line with the output', async () => {
  const { stdout } = await runCrossdock(['map', 'order-to-erp', '-', '--json'], {
    input: '{"id":1,"name":"#1"}',
  });
  assert.equal(stdout, '{"output":{"externalId":"1","name":"#1"}}\n');
});

test('takes a mapping by its path, and $event from a file', async () => {
  const mapping = join(folder, 'who.jsonata');
  const event = join(folder, 'event.json');
  await writeFile(mapping, '{ "who": $event.source, "shop": $event.shop, "topic": $event.topic }');
  await writeFile(event, '{"source":"shop","shop":"a.example"}');
  const args = ['map', mapping, '-', '--event', event, '--json'];
  const { stdout } = await runCrossdock(args, { input: '{}' });
  assert.equal(stdout, '{"output":{"who":"shop","shop":"a.example","topic":"cli"}}\n');
});

test('an error of the mapping names its line and column and exits 1', async () => {
  const { code, stdout, stderr } = await runCrossdock(['map', 'order-number-to-mail', '-'], {
    input: '{"number":""}',
  });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^crossdock: mapping-failed: mappings\/order-number-to-mail\.jsonata:2:\d+ .*no number/,
  );
});

test('a body that is no JSON exits 1', async () => {
  const { code, stdout } = await runCrossdock(['map', 'order-to-erp', '-', '--json'], {
    input: 'not json',
  });
  assert.equal(code, 1);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, 'body-unreadable');
  assert.match(error.message, /^standard input: /);
});

test('a payload or an event file that is no JSON is named', async () => {
  const broken = join(folder, 'broken.json');
  await writeFile(broken, '{"id": 1');
  const payload = await runCrossdock(['map', 'order-to-erp', broken]);
  assert.equal(payload.code, 1);
  assert.ok(payload.stderr.startsWith(`crossdock: body-unreadable: ${broken}: `), payload.stderr);
  const event = await runCrossdock(['map', 'order-to-erp', order, '--event', broken]);
  assert.equal(event.code, 2);
  assert.ok(event.stderr.startsWith(`crossdock: usage: ${broken} must hold `), event.stderr);
});

test('what is no mapping gets the nearest name, or those there are', async () => {
  const near = await runCrossdock(['map', 'order-to-epr', order]);
  assert.equal(near.code, 2);
  assert.match(
    near.stderr,
    /there is no mapping "order-to-epr" in .*did you mean "order-to-erp"\?/,
  );
  const far = await runCrossdock(['map', 'connectors/erp.yaml', order]);
  assert.equal(far.code, 2);
  assert.match(far.stderr, /no mapping "connectors\/erp\.yaml" in .*known here: .*order-to-erp/);
});

test('a mapping or payload that does not exist exits 2', async () => {
  assert.equal((await runCrossdock(['map', 'no-such-mapping', order])).code, 2);
  assert.equal((await runCrossdock(['map', 'order-to-erp', join(folder, 'none.json')])).code, 2);
});
