// `start` for the person who writes the files: each change is checked, and a clean one restarts the
// hub; while there are errors the hub of before goes on.

import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Command } from 'commander';
import { readDevKey } from '../config/dev-key.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { type Hub, startHub } from '../hub.ts';
import { loadProject } from '../load-project.ts';
import { watchSignals } from '../main.ts';
import type { Log } from '../model/log.ts';
import { countProblems } from './check.ts';
import { defineCommand, ending } from './command.ts';
import { projectFolders } from './count-files.ts';
import { problemLine } from './project.ts';
import { announce, hubLog, roleOption, type StartOptions } from './start.ts';
import { countOf, note, paint, plain } from './terminal.ts';

/** Editors write a file in several steps, and people save several files. */
const SETTLE_MS = 150;

export function addDev(program: Command): void {
  defineCommand(program, {
    usage: 'dev',
    summary: 'Run the hub like start, and again after each change of the files.',
    details:
      'A change with errors is shown, and the hub that runs is left alone. Webhooks of vendors that publish their keys are accepted from crossdock send too: this is no hub for the public.',
    examples: ['dev', 'PORT=9000 crossdock dev'],
  })
    .addOption(roleOption())
    .action(ending(dev));
}

async function dev(options: StartOptions): Promise<undefined> {
  const leaving = watchSignals();
  const environment = readEnvironment();
  const session = new DevSession(environment, options);
  const watcher = watch(
    projectFolders.map((folder) => join(environment.folder, folder)),
    { ignoreInitial: true, awaitWriteFinish: { stabilityThreshold: SETTLE_MS, pollInterval: 50 } },
  );
  watcher.on('all', (_event, path) => session.changed(path));
  try {
    await session.restart();
    note('watching the files; Ctrl-C ends it');
    await leaving;
  } finally {
    await watcher.close();
    await session.close();
  }
}

class DevSession {
  readonly #environment: Environment;
  readonly #options: StartOptions;
  readonly #log: Log;
  #hub: Hub | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(environment: Environment, options: StartOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#log = hubLog(environment, options);
  }

  changed(path: string): void {
    this.#log.debug({ path }, 'a file changed');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.restart().catch(showFailure), SETTLE_MS);
  }

  /** One after another. Resolves also when there are errors; rejects when the hub cannot start. */
  restart(): Promise<void> {
    this.#work = this.#settled().then(() => this.#restartNow());
    return this.#work;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#settled();
    await this.#hub?.close();
  }

  /** Whoever asked for the last start was told how it went. */
  #settled(): Promise<void> {
    return this.#work.catch(() => undefined);
  }

  async #restartNow(): Promise<void> {
    if (!(await this.#isClean())) return;
    const again = this.#hub !== undefined;
    await this.#hub?.close();
    this.#hub = undefined;
    const { role } = this.#options;
    const environment = this.#environment;
    const devKey = createPublicKey(await readDevKey(environment));
    this.#hub = await startHub({ environment, role, log: this.#log, devKey });
    if (again) note(paint('green', `restarted on ${this.#hub.url}`, process.stderr));
    else announce(this.#hub, environment, this.#options);
  }

  async #isClean(): Promise<boolean> {
    const { definitions, problems } = await loadProject(this.#environment);
    for (const problem of problems) note(problemLine(problem, process.stderr));
    if (definitions !== undefined) return true;
    const [errors] = countProblems(problems);
    const state = this.#hub === undefined ? 'no hub runs' : 'the hub of before goes on';
    note(paint('red', `${countOf(errors, 'error')}: ${state}`, process.stderr));
    return false;
  }
}

function showFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  note(paint('red', `the hub does not run: ${plain(message)}`, process.stderr));
}
