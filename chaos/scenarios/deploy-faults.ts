// Other files, another version, another clock: what a deploy brings, and what a machine may be like.

import { cpSync, existsSync } from 'node:fs';
import { readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/config/package-root.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { Finding } from '../checker.ts';
import { erpMapping, versionOf } from '../orders.ts';
import { projectFiles, writeProject } from '../project.ts';
import type { Rig } from '../rig.ts';
import type { Scenario } from '../scenario.ts';
import { type Behaviour, refuse } from '../target.ts';

/** Half of the first calls fail, so that what was routed before a change is delivered after it. */
const failsAtFirst: Behaviour = (call, response, earlier) =>
  earlier > 0 || call.sha256 < '8' || refuse(call, response, { status: 503 });

const fakeTimeLibrary = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/faketime/libfaketime.so.1',
  '/usr/lib64/faketime/libfaketime.so.1',
].find(existsSync);

function clockOff(variant: string, fakeTime: string): Scenario {
  return {
    id: 'F22',
    variant,
    title: `the clock of one delivery process is off by ${variant} for 10 s`,
    promise: 'only the clock of the database counts: nothing twice, nothing late, nothing stuck',
    lanes: ['redis', 'postgres'],
    skipReason: async () =>
      fakeTimeLibrary === undefined
        ? 'libfaketime is not installed: apt-get install faketime'
        : undefined,
    async prepare(rig) {
      rig.erp.behave(failsAtFirst);
    },
    async fault(rig, random) {
      const hub = random.pick(rig.of('delivery'));
      hub.change({
        variables: {
          LD_PRELOAD: fakeTimeLibrary ?? '',
          FAKETIME: fakeTime,
          DONT_FAKE_MONOTONIC: '1',
        },
      });
      await hub.end('SIGTERM');
      await hub.ready();
      await sleep(10_000);
      hub.changeBack();
      await hub.end('SIGTERM');
      await hub.ready();
    },
  };
}

const filesChange: Scenario = {
  id: 'F37',
  title: 'the files change under load, process by process; broken ones are tried first',
  promise: 'an event keeps the mapping of its day; broken files do not start, the old ones go on',
  lanes: ['redis', 'postgres'],
  slow: true,
  lanesAside: true,
  rig: { intakes: 2 },
  async prepare(rig) {
    rig.erp.behave(failsAtFirst);
    const files = { ...projectFiles(rig.ports), 'mappings/order-to-erp.jsonata': erpMapping(2) };
    await writeProject(newFolder(rig), files);
    const half = erpMapping(3).slice(0, 60);
    const broken = { ...projectFiles(rig.ports), 'mappings/order-to-erp.jsonata': half };
    await writeProject(brokenFolder(rig), broken);
  },
  async fault(rig) {
    const broken = await rig.addHub('broken', 'delivery');
    broken.change({ folder: brokenFolder(rig) });
    broken.start();
    await waitUntil('broken files end the hub', () => broken.exits[0], 30_000);
    await broken.stop();
    rig.note(`on broken files: ${JSON.stringify(broken.exits[0])}`);
    for (const hub of rig.hubs) {
      hub.change({ folder: newFolder(rig) });
      await hub.end('SIGTERM');
      await hub.ready();
    }
  },
  check(rig, { journal, sent }): readonly Finding[] {
    const versionById = new Map(
      journal.deliveries
        .filter(({ flow }) => flow === 'order-to-erp')
        .map((one) => [one.eventId, versionOf(journal.revisions.get(one.revision))]),
    );
    const last = journal.events.find(({ dedupeKey }) => dedupeKey === sent.at(-1)?.id);
    const seen = new Set(versionById.values());
    const started = rig.notes.some((note) => note.includes('on broken files: {"code":1'));
    return [
      ...(seen.has(1) && seen.has(2) ? [] : [finding('not both versions were used')]),
      ...(versionById.get(last?.id ?? '') === 2 ? [] : [finding('a new event took old files')]),
      ...(started ? [] : [finding('broken files did not end the hub with status 1')]),
    ];
  },
};

function finding(message: string): Finding {
  return { rule: 'files', message, ids: [] };
}

const newFolder = (rig: Rig): string => join(rig.folder, 'project-new');
const brokenFolder = (rig: Rig): string => join(rig.folder, 'project-broken');

const twoVersions: Scenario = {
  id: 'F38',
  title: 'two versions of the hub side by side, the newer one with jobs that the older cannot read',
  promise: 'the older leaves those jobs to the newer one; nothing fails, nothing is lost',
  lanes: ['redis', 'postgres'],
  slow: true,
  rig: { intakes: 2 },
  skipReason: async () => {
    const { changed } = await newerQueueFiles();
    return changed.length > 0 ? undefined : "the job's version was not found in src/queue";
  },
  async fault(rig) {
    const program = await copyProgram(join(rig.folder, 'newer'));
    // One of each role: now both versions write and read.
    for (const hub of [rig.of('intake')[0], rig.of('delivery')[0]]) {
      hub?.change({ program });
      await hub?.end('SIGTERM');
      await hub?.ready();
    }
    await sleep(6_000);
    for (const hub of [...rig.of('intake').slice(1), ...rig.of('delivery').slice(1)]) {
      hub.change({ program });
      await hub.end('SIGTERM');
      await hub.ready();
    }
  },
  expect: { spentMax: 1 },
};

const distFolder = fileURLToPath(new URL('../../', import.meta.url));

/** The files of this build's queue that know the job's version, as the next version has them. */
async function newerQueueFiles() {
  const folder = join(distFolder, 'src', 'queue');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  const files = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const newer = text.replace(/\bv: 1\b/g, 'v: 2').replace(/\.v !== 1\b/g, '.v > 2');
      return { name, text: newer, isChanged: newer !== text };
    }),
  );
  return { changed: files.filter(({ isChanged }) => isChanged) };
}

/** Resolves with the path of the copy's program. */
async function copyProgram(folder: string): Promise<string> {
  // At once: thousands of small steps would each wait for their turn.
  cpSync(join(distFolder, 'src'), join(folder, 'dist', 'src'), { recursive: true });
  for (const name of ['migrations', 'schemas', 'connectors', 'package.json']) {
    cpSync(join(packageRoot, name), join(folder, name), { recursive: true });
  }
  // Not a link to a link: mapping processes may read no others than these.
  await symlink(await realpath(join(packageRoot, 'node_modules')), join(folder, 'node_modules'));
  const { changed } = await newerQueueFiles();
  for (const { name, text } of changed) {
    await writeFile(join(folder, 'dist', 'src', 'queue', name), text);
  }
  return join(folder, 'dist', 'src', 'cli', 'crossdock.js');
}

export const deployFaults: readonly Scenario[] = [
  clockOff('1 h ahead', '+3600s'),
  clockOff('5 min behind', '-300s'),
  filesChange,
  twoVersions,
];
