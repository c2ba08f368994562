import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type FaultProxy, startFaultProxy } from '../../chaos/fault-proxy.ts';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(): Promise<{ target: HttpTarget; proxy: FaultProxy; call: Call }> {
  const target = await startHttpTarget();
  closers.push(() => target.close());
  const proxy = await startFaultProxy(Number(new URL(target.url).port));
  closers.push(() => proxy.close());
  const call: Call = async (withinMs = 5_000) => {
    const url = `http://127.0.0.1:${proxy.port}/`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(withinMs) });
      return await response.text();
    } catch (error) {
      const { cause, name } = error as Error & { cause?: { code?: string } };
      return cause?.code ?? name;
    }
  };
  return { target, proxy, call };
}

type Call = (withinMs?: number) => Promise<string>;

test('passes, refuses and passes again on the same port', async () => {
  const { proxy, call } = await start();
  assert.equal(await call(), '{"ok":true}');
  await proxy.set({ kind: 'refuse' });
  assert.match(await call(), /ECONNREFUSED/);
  await proxy.set({ kind: 'pass' });
  assert.equal(await call(), '{"ok":true}');
});

test('a blackhole takes connections and says nothing; what was open goes on afterwards', async () => {
  const { target, proxy, call } = await start();
  await proxy.set({ kind: 'blackhole' });
  assert.equal(await call(200), 'TimeoutError');
  assert.equal(target.received.length, 0);
  await proxy.set({ kind: 'pass' });
  assert.equal(await call(), '{"ok":true}');
});

test('resets after the request went through, as often as told, then passes', async () => {
  const { target, proxy, call } = await start();
  await proxy.set({ kind: 'reset-after-request', times: 2 });
  assert.notEqual(await call(), '{"ok":true}');
  assert.notEqual(await call(), '{"ok":true}');
  assert.equal(await call(), '{"ok":true}');
  assert.equal(target.received.length, 3);
  assert.equal(proxy.resets, 2);
});

test('cuts an answer after so many bytes', async () => {
  const { target, proxy, call } = await start();
  await proxy.set({ kind: 'cut', afterBytes: 20 });
  assert.notEqual(await call(), '{"ok":true}');
  assert.equal(target.received.length, 1);
  assert.equal(proxy.resets, 1);
});

test('latency delays both ways', async () => {
  const { proxy, call } = await start();
  await proxy.set({ kind: 'latency', ms: 60 });
  const beganMs = performance.now();
  assert.equal(await call(), '{"ok":true}');
  assert.ok(performance.now() - beganMs >= 110);
});
