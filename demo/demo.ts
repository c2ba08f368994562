// `npm run demo`: a shop sells, the hub carries, an ERP and a mailbox receive, and this program
// shows it. See options.ts for its arguments.

import { setTimeout as sleep } from 'node:timers/promises';
import { note, print, withProgress } from '../src/cli/terminal.ts';
import { areAllLost, explainLost, mostEventful, requireHub, waitUntilStill } from './hub-view.ts';
import { type DemoOptions, parseOptions, usage } from './options.ts';
import { Scoreboard } from './scoreboard.ts';
import { createShopOrder } from './shop-orders.ts';
import { type Stage, StageCrew } from './stage.ts';
import { createStandInShop } from './stand-in-shop.ts';
import { type Evidence, findFaults, formatVerdict } from './verdict.ts';

/** From the first order on. */
const DEADLINE_MS = 120_000;
const ORDER_EVERY_MS = 150;
/** Nobody looks at a still screen for longer without being told why. */
const QUIET_MS = 2_000;
const LOOK_EVERY_MS = 200;
/** A Ctrl-C under npm arrives twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 500;

const exitCodes = { fine: 0, faults: 1, usage: 2, environment: 3, interrupted: 130 } as const;

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    note(`${messageOf(error)}\n\n${usage}`);
    return exitCodes.usage;
  }
  if (options.help) {
    print(usage);
    return exitCodes.fine;
  }
  const crew = new StageCrew();
  const leaving = watchSignals(crew);
  try {
    return await run(options, crew, leaving);
  } catch (error) {
    if (leaving.aborted) return exitCodes.interrupted;
    note(`\nThe demo failed: ${messageOf(error)}`);
    showHubLog(crew);
    return exitCodes.environment;
  } finally {
    if (!leaving.aborted) print('Stopping the hub, the stand-ins and the database …');
    await crew.close();
  }
}

async function run(options: DemoOptions, crew: StageCrew, leaving: AbortSignal): Promise<number> {
  const scoreboard = new Scoreboard();
  const stage = await crew.open({ seed: options.seed, scoreboard, say: print, signal: leaving });
  print(`\nThe shop sells ${options.orders} orders; the ERP has its moods.\n`);
  const forgedStatus = await sellAll(options, { scoreboard, stage, leaving });
  await withProgress('looking for stragglers', waitUntilStill(scoreboard, stage, leaving));
  const { erp, mailbox } = stage;
  const evidence = { scores: scoreboard.scores, salesOrders: erp.orders, mails: mailbox.mails };
  const faults = await show({ ...evidence, forgedStatus }, stage, crew);
  if (!options.once) {
    print('\nThe hub stays up. Ctrl-C stops everything.');
    await waitForEnd(stage, leaving);
    return exitCodes.fine;
  }
  return faults === 0 ? exitCodes.fine : exitCodes.faults;
}

interface Scene {
  readonly scoreboard: Scoreboard;
  readonly stage: Stage;
  readonly leaving: AbortSignal;
}

/** Resolves when no order can become complete any more, with the status of a forgery. */
async function sellAll(options: DemoOptions, scene: Scene): Promise<number> {
  const { scoreboard, stage, leaving } = scene;
  const shop = createStandInShop({
    webhookUrl: `${stage.hub.url}/webhooks/shop`,
    secret: stage.webhookSecret,
    seed: options.seed,
  });
  const deadline = Date.now() + DEADLINE_MS;
  for (let index = 0; index < options.orders; index++) {
    const order = createShopOrder(options.seed, index);
    scoreboard.begin(order);
    void shop.sell(order).then((posted) => scoreboard.posted(order, posted));
    await sleep(ORDER_EVERY_MS, undefined, { signal: leaving });
  }
  const forgedStatus = await shop.forge(createShopOrder(options.seed, options.orders));
  while (scoreboard.incomplete().length > 0 && Date.now() < deadline) {
    requireHub(stage);
    const isQuiet = scoreboard.sayProgress(QUIET_MS);
    if (isQuiet && (await areAllLost(stage, scoreboard.incomplete()))) break;
    await sleep(LOOK_EVERY_MS, undefined, { signal: leaving });
  }
  return forgedStatus;
}

/** The table, what is wrong, and where to look next; resolves with how much is wrong. */
async function show(evidence: Evidence, stage: Stage, crew: StageCrew): Promise<number> {
  print();
  for (const line of formatVerdict(evidence)) print(line);
  const faults = findFaults(evidence);
  if (faults.length === 0) {
    print('\nEvery order reached the ERP and the mailbox exactly once.');
  } else {
    print('\nNot as it should be:');
    for (const fault of faults) print(`  ${fault}`);
    await explainLost(stage, evidence.scores);
    showHubLog(crew);
  }
  const { hub, adminToken } = stage;
  const signIn = (path: string) => `${hub.url}/sign-in?next=${path}#${adminToken}`;
  print(`\nBull Board      ${signIn('/queues')}`);
  const eventId = mostEventful(evidence.scores);
  if (eventId !== undefined) print(`one event       ${signIn(`/events/${eventId}`)}`);
  if (eventId !== undefined) print(`as JSON         GET ${hub.url}/events/${eventId}`);
  return faults.length;
}

async function waitForEnd(stage: Stage, leaving: AbortSignal): Promise<void> {
  while (!leaving.aborted) {
    requireHub(stage);
    await sleep(LOOK_EVERY_MS);
  }
}

function showHubLog({ hub }: StageCrew): void {
  if (hub === undefined) return;
  note('\nThe last lines of the hub:');
  for (const line of hub.lastLines()) note(`  ${line}`);
}

/** The first signal asks to leave, a later one insists. */
function watchSignals(crew: StageCrew): AbortSignal {
  const leaving = new AbortController();
  let firstMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      firstMs ??= Date.now();
      if (Date.now() - firstMs > SAME_SIGNAL_MS) {
        process.exit(exitCodes.interrupted);
      }
      if (leaving.signal.aborted) return;
      print('\nStopping; a second Ctrl-C ends at once …');
      leaving.abort();
    });
  }
  process.once('exit', () => crew.kill());
  return leaving.signal;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// The shop may still be trying to post to a hub that is gone.
process.exit(await main());
