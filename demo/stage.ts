// Everything that the demo runs, in the order it is started and stopped: the stand-ins, a folder
// for the hub's data that is gone afterwards, and the hub itself in a process of its own.

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/config/package-root.ts';
import { watchArchive } from './archive-watch.ts';
import { findFreePort } from './free-port.ts';
import { type HubProcess, startHubProcess } from './hub-process.ts';
import type { Scoreboard } from './scoreboard.ts';
import { moodsOf, type StandInErp, startStandInErp } from './stand-in-erp.ts';
import { type StandInMailbox, startStandInMailbox } from './stand-in-mailbox.ts';
import { SHOP_DOMAIN } from './stand-in-shop.ts';

export interface Stage {
  readonly erp: StandInErp;
  readonly mailbox: StandInMailbox;
  readonly hub: HubProcess;
  readonly webhookSecret: string;
  readonly adminToken: string;
  /** Counts what has been archived up to now. */
  lookAtArchive(): void;
}

export interface StageOptions {
  readonly seed: number;
  readonly scoreboard: Scoreboard;
  /** Called with what is happening, for people. */
  say(line: string): void;
  readonly signal: AbortSignal;
}

/** Owns what was started, so that it can be stopped however far the start came. */
export class StageCrew {
  readonly #closers: (() => Promise<void> | void)[] = [];
  #folder: string | undefined;
  hub: HubProcess | undefined;

  async open({ seed, scoreboard, say, signal }: StageOptions): Promise<Stage> {
    const [webhookSecret, erpToken] = [newSecret(), newSecret()];
    const [mailPassword, adminToken] = [newSecret(), newSecret()];
    const folder = this.#makeFolder();
    const erp = await startStandInErp({
      token: erpToken,
      mood: moodsOf(seed),
      slowMs: 1_500,
      onAnswer: (answer) => scoreboard.erpAnswered(answer),
    });
    this.#closers.push(() => erp.close());
    const mailbox = await startStandInMailbox({
      user: 'crossdock',
      password: mailPassword,
      onMail: (mail) => scoreboard.mailCame(mail),
    });
    this.#closers.push(() => mailbox.close());
    const archiveFolder = join(folder, 'archive');
    const archive = watchArchive(archiveFolder, (orderId) => scoreboard.archived(orderId));
    this.#closers.push(() => archive.close());
    say(`ERP at ${erp.url}, mail server at 127.0.0.1:${mailbox.port}`);
    const hub = await this.#startHub(say, signal, {
      CROSSDOCK_DIR: packageRoot,
      CROSSDOCK_DATA_DIR: join(folder, 'hub'),
      CROSSDOCK_ADMIN_TOKEN: adminToken,
      SHOPIFY_SHOP: SHOP_DOMAIN,
      SHOPIFY_WEBHOOK_SECRET: webhookSecret,
      ERP_URL: erp.url,
      ERP_TOKEN: erpToken,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(mailbox.port),
      SMTP_SECURITY: 'none',
      SMTP_USER: 'crossdock',
      SMTP_PASSWORD: mailPassword,
      MAIL_FROM: 'Demo shop <orders@shop.example>',
      ARCHIVE_DIR: archiveFolder,
    });
    return { erp, mailbox, hub, webhookSecret, adminToken, lookAtArchive: archive.look };
  }

  /** Stops all of it, the last first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** The same without waiting for anybody; does nothing after `close`. */
  kill(): void {
    this.hub?.kill();
    this.#removeFolder();
  }

  #makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'crossdock-demo-'));
    this.#folder = folder;
    this.#closers.push(() => this.#removeFolder());
    // Under root the database server runs as another user, who has to get through.
    chmodSync(folder, 0o711);
    return folder;
  }

  #removeFolder(): void {
    if (this.#folder === undefined) return;
    killDatabase(join(this.#folder, 'hub'));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    this.#folder = undefined;
  }

  async #startHub(
    say: StageOptions['say'],
    signal: AbortSignal,
    settings: Readonly<Record<string, string>>,
  ): Promise<HubProcess> {
    const host = process.env['HOST'] || '127.0.0.1';
    const wanted = Number(process.env['PORT'] || 8080);
    const port = await findFreePort(host, wanted);
    if (port !== wanted) say(`port ${wanted} is taken, so the hub listens on ${port} (see PORT)`);
    const redis = process.env['REDIS_URL'];
    const lanes = redis ? 'lanes on Redis' : 'lanes on PostgreSQL';
    say(`the hub keeps its journal on the embedded PostgreSQL, and its ${lanes}`);
    const startedMs = Date.now();
    const hub = await startHubProcess({
      host,
      port,
      // Nothing of this shell but what the demo is about: a DATABASE_URL is somebody's journal.
      env: {
        ...pick(process.env, ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'REDIS_URL', 'LOG_LEVEL']),
        ...settings,
      },
      signal,
      onSpawn: (spawned) => {
        this.hub = spawned;
        this.#closers.push(() => spawned.stop());
      },
    });
    say(`the hub is ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s: ${hub.url}`);
    return hub;
  }
}

/** A hub that was killed leaves its database server behind, and nobody needs these data again. */
function killDatabase(dataFolder: string): void {
  try {
    const [pid] = readFileSync(join(dataFolder, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    if (Number(pid) > 1) process.kill(Number(pid), 'SIGQUIT');
  } catch {
    // There is no such file after an orderly end, and no such process after most others.
  }
}

function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

function pick(from: NodeJS.ProcessEnv, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (from[name] ? [[name, from[name]]] : [])));
}
