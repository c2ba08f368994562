import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Connector } from '../../src/connectors/connector.ts';
import { fileKind } from '../../src/connectors/file-connector.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { assertRetry, connectorConformance } from '../support/connector-conformance.ts';
import { contextOf, definitionOf, messageOf, noAbort } from '../support/connector-parts.ts';

const NOW = Date.parse('2026-11-22T23:59:59.999Z');

connectorConformance(fileKind, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-file-'));
  const archive = join(folder, 'archive');
  return {
    fields: { directory: 'archive' },
    operation: { file: 'orders' },
    folder,
    body: (number) => JSON.stringify({ id: number }),
    longBody: () => JSON.stringify({ text: 'x'.repeat(40_000) }),
    secrets: ['canary-unused'],
    async taken() {
      const files = await readdir(archive).catch(() => []);
      const texts = await Promise.all(files.map((file) => readFile(join(archive, file), 'utf8')));
      return texts.join('').split('\n').length - 1;
    },
    async fail() {
      await rm(archive, { recursive: true, force: true });
      await writeFile(archive, '');
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
});

describe('files', () => {
  async function withFolder(
    use: (connector: Connector, folder: string) => Promise<void>,
    operation: JsonObject = { file: 'orders' },
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'crossdock-file-'));
    const connector = fileKind.create(
      definitionOf({
        title: 'Archive',
        kind: 'file',
        fields: { directory: 'archive/deep' },
        operations: { call: operation },
      }),
      contextOf(folder, () => NOW),
    );
    try {
      await use(connector, folder);
    } finally {
      await connector.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  const path = (folder: string) => join(folder, 'archive/deep/orders-2026-11-22.ndjson');
  const text = (folder: string) => readFile(path(folder), 'utf8');
  const call = (connector: Connector, body: string, key = 'e:f') =>
    connector.send(messageOf('call', body, key), noAbort());

  test('a line is an envelope around the message, digit for digit, of the UTC day', async () => {
    await withFolder(async (connector, folder) => {
      const body = '{\r\n  "id": 820982911946154508,\n\t"price": 10.10,\n  "a": "b\\nc"\n}\n';
      const sent = await call(connector, body);
      assert.deepEqual(sent.outcome, { kind: 'delivered' });
      assert.equal(
        await text(folder),
        '{"id":"0192f000-0000-7000-8000-000000000002","key":"e:f","source":"shop",' +
          '"topic":"orders/create","receivedAt":"2026-11-22T18:45:00.000Z",' +
          '"body":{"id": 820982911946154508,"price": 10.10,"a": "b\\nc"}}\n',
      );
      const result = JSON.parse(String(sent.responseBody));
      assert.equal(result.file, 'orders-2026-11-22.ndjson');
      assert.match(
        sent.exchange.request.summary,
        /^append to archive.deep.orders-2026-11-22.ndjson$/,
      );
    });
  });

  test('a message that is not JSON is kept as text', async () => {
    await withFolder(async (connector, folder) => {
      await call(connector, 'no\njson "\u0000');
      const line = JSON.parse(await text(folder));
      assert.equal(line.text, 'no\njson "\u0000');
      assert.equal('body' in line, false);
    });
  });

  test('without an envelope a line is the message, and what is not JSON is rejected', async () => {
    const operation = { file: 'orders', envelope: false };
    await withFolder(async (connector, folder) => {
      await call(connector, ' [1.0,\n2]\n');
      const { outcome } = await call(connector, 'no json');
      assert.equal(outcome.kind === 'rejected' && outcome.code, 'message-invalid');
      assert.equal(await text(folder), '[1.0,2]\n');
    }, operation);
  });

  test('500 lines sent at once through two connectors are 500 whole lines', async () => {
    await withFolder(async (first, folder) => {
      await withSecond(folder, async (second) => {
        const all = Array.from({ length: 500 }, (_, number) =>
          call(number % 2 === 0 ? first : second, JSON.stringify({ number }), `key-${number}`),
        );
        const kinds = new Set((await Promise.all(all)).map(({ outcome }) => outcome.kind));
        assert.deepEqual(kinds, new Set(['delivered']));
        const lines = (await text(folder)).trimEnd().split('\n');
        const keys = lines.map((line) => JSON.parse(line).key);
        assert.equal(new Set(keys).size, 500);
        assert.equal(keys.length, 500);
      });
    });
  });

  async function withSecond(
    folder: string,
    use: (connector: Connector) => Promise<void>,
  ): Promise<void> {
    const connector = fileKind.create(
      definitionOf({
        kind: 'file',
        fields: { directory: join(folder, 'archive/deep') },
        operations: { call: { file: 'orders' } },
      }),
      contextOf('/', () => NOW),
    );
    await use(connector);
    await connector.close();
  }

  test('a torn last line is left alone and the next one starts on its own', async () => {
    await withFolder(async (connector, folder) => {
      await call(connector, '1', 'first');
      await appendFile(path(folder), '{"id":"to');
      await call(connector, '2', 'second');
      const lines = (await text(folder)).split('\n');
      assert.equal(lines.length, 4);
      assert.equal(lines[1], '{"id":"to');
      assert.equal(JSON.parse(lines[2] ?? '').key, 'second');
    });
  });

  test('a folder that cannot be made is tried again, and works once it can', async () => {
    await withFolder(async (connector, folder) => {
      await writeFile(join(folder, 'archive'), '');
      const sent = await call(connector, '1');
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'remote-error');
      assert.equal(sent.outcome.ambiguous, undefined);
      assert.equal(
        sent.outcome.reason,
        'Archive could not write orders-2026-11-22.ndjson: a part of the path is not a folder (ENOTDIR)',
      );
      await rm(join(folder, 'archive'));
      assert.equal((await call(connector, '1')).outcome.kind, 'delivered');
    });
  });

  test('a path that is a folder is tried again', async () => {
    await withFolder(async (connector, folder) => {
      await mkdir(path(folder), { recursive: true });
      const sent = await call(connector, '1');
      assertRetry(sent);
      assert.match(sent.outcome.reason, /EISDIR/);
    });
  });

  test('an abort before the write rejects and leaves no line; the neighbour is written', async () => {
    await withFolder(async (connector, folder) => {
      const abort = new AbortController();
      const leaving = connector.send(messageOf('call', '1', 'leaving'), abort.signal);
      const staying = call(connector, '2', 'staying');
      abort.abort(new Error('the hub is leaving'));
      await assert.rejects(leaving, /the hub is leaving/);
      assert.equal((await staying).outcome.kind, 'delivered');
      assert.equal(JSON.parse(await text(folder)).key, 'staying');
    });
  });

  test('a directory outside the project folder is a problem unless it is absolute', () => {
    const codes = (directory: string) =>
      fileKind.check?.({ directory }, new Map()).map(({ code }) => code);
    assert.deepEqual(codes('archive'), []);
    assert.deepEqual(codes('/var/archive'), []);
    assert.deepEqual(codes('a/../b'), []);
    assert.deepEqual(codes('..'), ['directory-outside']);
    assert.deepEqual(codes('a/../../b'), ['directory-outside']);
  });
});
