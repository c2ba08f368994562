import assert from 'node:assert/strict';
import { unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLiveReceivers } from '../../src/intake/live-receivers.ts';
import { watchSecrets } from '../../src/rotate-secrets.ts';
import { type LogLine, recordingLog } from '../support/http-hub.ts';
import { noKeys } from '../support/receiver.ts';
import { createTestProject } from '../support/test-project.ts';

test('the files are not read again where there is no .env file', async (context) => {
  // Whoever reads it says that it has mistakes.
  const { folder, remove } = await createTestProject({
    erpUrl: 'http://127.0.0.1:1',
    files: { 'connectors/shop.yaml': 'kind: nothing-that-is\n' },
  });
  const lines: LogLine[] = [];
  const log = recordingLog(lines);
  const receivers = createLiveReceivers(new Map(), { keys: noKeys });
  process.env['CROSSDOCK_DIR'] = folder;
  const rotation = watchSecrets({ folder, receivers, log });
  context.after(async () => {
    rotation.close();
    delete process.env['CROSSDOCK_DIR'];
    await remove();
  });
  // Listeners of one file are told together, the first one first.
  const file = join(folder, '.env');
  await new Promise<void>((told) => watchFile(file, () => told()));
  unwatchFile(file);
  await rotation.rotate();
  // What was asked for here, and nothing before it.
  assert.equal(lines.length, 1, JSON.stringify(lines));
});
