import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { childArguments, childEnvironment } from '../../src/mapping/child-options.ts';
import { isAlive, until } from '../support/mapping-pool.ts';

const probes: Readonly<Record<string, string>> = {
  'reading a file': `(await import('node:fs')).readFileSync('/etc/hosts')`,
  'writing a file': `(await import('node:fs')).writeFileSync('crossdock-probe', '')`,
  'listing a folder': `(await import('node:fs')).readdirSync('/')`,
  'starting a process': `(await import('node:child_process')).spawnSync('node', ['-v'])`,
  'starting a thread': `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
  'code from a text': `eval('1')`,
  'code from a constructor': `(function () {}).constructor('return 1')()`,
};

for (const [name, code] of Object.entries(probes)) {
  test(`a mapping child refuses ${name}`, async () => {
    const script = `try { ${code}; console.log('done'); } catch (e) { console.log(e.code ?? e.name); }`;
    const flags = childArguments().slice(0, -1);
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', script], {
      env: { ...childEnvironment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(child.stdout), 'line');
    assert.match(String(line), /^(?:ERR_ACCESS_DENIED|EvalError)$/);
  });
}

test('no secret of the environment reaches a mapping child', async () => {
  const flags = childArguments().slice(0, -1);
  const script = 'console.log(JSON.stringify(process.env), "__proto__" in {})';
  const child = spawn(process.execPath, [...flags, '-e', script], {
    env: { ...childEnvironment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  assert.equal(String(line), '{"TZ":"UTC"} false');
});

test('the children end when their parent is killed', async () => {
  const mapper = new URL('../../src/mapping/child-pool-mapper.js', import.meta.url).href;
  const script = `
    import { createChildPoolMapper } from ${JSON.stringify(mapper)};
    const mapper = createChildPoolMapper({ children: 2 });
    const event = { id: '', source: '', topic: '', key: '', receivedAt: '', headers: {} };
    await mapper.map('a', {}, { body: Buffer.from('1'), event });
    console.log(JSON.stringify(mapper.stats().children.map(({ pid }) => pid)));
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(parent.stdout), 'line');
  const pids = JSON.parse(String(line)) as number[];
  assert.equal(pids.filter(isAlive).length, 2);
  parent.kill('SIGKILL');
  await until(() => !pids.some(isAlive), 'the children have ended');
});
