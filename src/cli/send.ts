// Posts correctly signed webhooks to a running hub as their sender would; or wrongly signed ones, to
// see them refused.

import type { KeyObject } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { readDevKey } from '../config/dev-key.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { publicHalf } from '../intake/sign-bytes.ts';
import { fetchesKeys } from '../intake/ways.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { parseDurationMs, parseRate, type Rate } from '../model/units.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findSample } from './find-sample.ts';
import { withPlaceholders } from './placeholder-variables.ts';
import { requireProject } from './project.ts';
import { readGiven } from './read-given.ts';
import { type Answered, sendAll } from './send-all.ts';
import { createSigning, familyOf, oldMs, requireTamperable } from './signing.ts';
import { countOf, note, print, printJson, withProgress } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

const COUNT_MAX = 100_000;
const BATCH_MAX = 1_000;

interface SendOptions extends CommonOptions {
  readonly url?: string;
  readonly id?: string;
  readonly shop?: string;
  readonly count: number;
  readonly rate?: Rate;
  readonly batch: number;
  readonly tamper?: true;
  readonly old?: number | true;
  readonly twice?: true;
  readonly event?: string;
  readonly headersLike?: string;
  readonly privateKey?: string;
}

export function addSend(program: Command): void {
  defineCommand(program, {
    usage: 'send',
    summary: 'Post correctly signed webhooks of a connector to the running hub.',
    details:
      'Without a payload the sample of the catalogue is sent, or a small paid order, each time another one.',
    examples: [
      'send shop orders/create',
      'send shop orders/create order.json --id b54557e4 --count 10',
      'send shop orders/create --count 500 --rate 50/s',
      'send shop orders/create --tamper',
    ],
  })
    .argument('<connector>', 'a connector that receives')
    .argument('[topic]', 'the topic of the webhook; with --event that of the event')
    .argument('[payload]', 'a file that is sent, with topic and id set where they stand in it')
    .option('--url <url>', "the hub's address; HOST and PORT say it otherwise")
    .option('--id <id>', 'the id of the message, the same for all of --count; otherwise new ones')
    .option('--shop <shop>', 'the shop, where the connector reads one')
    .option('--count <n>', 'how many, one after another', wholeNumber(COUNT_MAX), 1)
    .option('--rate <n/s>', 'as many in a time, such as 50/s or 600/m, up to 32 at once', rate)
    .option('--batch <n>', 'elements in one request', wholeNumber(BATCH_MAX), 1)
    .option('--tamper', 'change the body after it is signed; the hub must refuse it')
    .option('--old [duration]', 'sign with a time that long ago; the hub must refuse it', duration)
    .option('--twice', 'send each message twice; both must be one event')
    .option('--event <id>', "send a recorded event's body again")
    .option('--headers-like <header>', 'where there are several names: use those of this one')
    .option('--private-key <file>', 'PEM, where the secret is a public key')
    .action(ending(send));
}

type SendArguments = [
  connector: string,
  topic: string | undefined,
  payload: string | undefined,
  options: SendOptions,
];

async function send(...[connector, topic, payload, options]: SendArguments): Promise<ExitCode> {
  const environment = readEnvironment();
  const receive = await receiverOf(environment, connector);
  const event = await recorded(options);
  const named = topic ?? event?.topic;
  if (named === undefined) throw new CrossdockError('usage', 'send needs a topic, or --event');
  checkOptions(receive, options);
  const body = event?.body ?? (payload === undefined ? undefined : await readGiven(payload));
  const sign = createSigning(receive, {
    topic: named,
    id: options.id,
    shop: options.shop ?? event?.shop,
    body,
    sample: await findSample(environment, connector, named),
    batch: options.batch,
    tamper: options.tamper === true,
    family: familyOf(receive, options.headersLike),
    path: `/webhooks/${connector}`,
    agoMs: options.old === undefined ? 0 : oldMs(receive, options.old),
    privateKey: await readPrivateKey(options),
    devKey: await devKeyFor(receive, environment),
  });
  const answers: Answered[] = [];
  const requests = options.count * (options.twice === true ? 2 : 1);
  const sending = sendAll({ origin: addressOf(environment, options), sign, answers, ...options });
  await withProgress(() => `sending, ${answers.length} of ${requests} answered`, sending);
  const isForged = options.tamper === true || options.old !== undefined;
  const refusal = isForged ? receive.answer.refused : undefined;
  return report(answers, { refusal, twice: options.twice === true, json: options.json === true });
}

function checkOptions(receive: ReceiveDefinition, { batch, tamper }: SendOptions): void {
  if (batch > 1 && receive.split === undefined) {
    throw new CrossdockError('usage', '--batch: this connector takes one event in a request');
  }
  if (tamper === true) requireTamperable(receive);
}

async function readPrivateKey({ privateKey: file }: SendOptions): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const key = (await readGiven(file)).toString();
  note(`the hub accepts it where this is the secret of the connector:\n${publicHalf(key).trim()}`);
  return key;
}

/** The vendor's private key is nobody else's: what it signs is signed with a key of this machine. */
async function devKeyFor(
  { verify }: ReceiveDefinition,
  environment: Environment,
): Promise<KeyObject | undefined> {
  if (!fetchesKeys(verify)) return undefined;
  note('signed with the key of .crossdock/dev-key.pem: only a hub run by crossdock dev accepts it');
  return readDevKey(environment);
}

async function recorded({ event: text }: SendOptions): Promise<Event | undefined> {
  if (text === undefined) return undefined;
  const id = requireId(text, 'an event');
  const event = await withOperations(({ journal }) => journal.getEvent(id));
  if (event !== undefined) return event;
  throw new CrossdockError('not-found', `there is no event ${id}`);
}

function report(
  answers: readonly Answered[],
  wanted: {
    readonly refusal?: number | undefined;
    readonly twice: boolean;
    readonly json: boolean;
  },
): ExitCode {
  const duplicates = answers.filter(({ duplicate }) => duplicate).length;
  const refused = answers.filter(({ id }) => id === undefined).length;
  const counts = { sent: answers.length, duplicates, refused };
  const verdict = judge(answers, wanted);
  if (wanted.json) {
    const expected =
      wanted.refusal !== undefined || wanted.twice ? { asExpected: verdict.fine } : {};
    printJson({ ...counts, ...expected, answers });
  } else {
    for (const answer of answers) tell(answer, wanted.refusal !== undefined);
    if (answers.length > 1) {
      note(`${answers.length} sent, ${countOf(duplicates, 'duplicate')}, ${refused} refused`);
    }
    if (verdict.text !== undefined) note(verdict.text);
  }
  return verdict.fine ? exitCodes.fine : exitCodes.findings;
}

function tell({ id, duplicate, status, text }: Answered, isForged: boolean): void {
  if (id !== undefined) print(duplicate ? `${id} (came before)` : id);
  else if (isForged) print(`refused with ${status}: ${text ?? ''}`);
  else note(`refused with ${status}: ${text ?? ''}`);
}

/** Whether the hub did with all of them what it should. */
function judge(
  answers: readonly Answered[],
  { refusal, twice }: { readonly refusal?: number | undefined; readonly twice: boolean },
): { readonly fine: boolean; readonly text?: string } {
  if (refusal !== undefined) {
    const fine = answers.every(({ status, id }) => id === undefined && status === refusal);
    const text = fine
      ? `as it should: the hub answered ${refusal}`
      : `expected: the hub answers ${refusal}; it did not`;
    return { fine, text };
  }
  const taken = answers.every(({ id }) => id !== undefined);
  if (!twice || !taken) return { fine: taken };
  const pairs = answers.filter((_, index) => index % 2 === 0);
  const fine = pairs.every(({ id }, index) => id === answers[index * 2 + 1]?.id);
  const text = fine ? 'as it should: both are one event' : 'expected: one event for both';
  return { fine, text };
}

async function receiverOf(environment: Environment, id: string): Promise<ReceiveDefinition> {
  const variables = await withPlaceholders(environment.folder, environment.variables, id);
  const { connectors } = await requireProject(environment, variables);
  const receive = connectors.get(id)?.receive;
  if (receive !== undefined) return receive;
  const receivers = [...connectors.values()].filter((one) => one.receive !== undefined);
  const hint = didYouMeanOrKnown(
    id,
    receivers.map((one) => one.id),
  );
  const message = `no connector "${id}" receives webhooks${hint === undefined ? '' : `; ${hint}`}`;
  throw new CrossdockError('connector-unknown', message);
}

/** Without a slash at the end. */
function addressOf({ host, port }: Environment, { url }: SendOptions): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  const address = url ?? `http://${name}:${port}`;
  if (URL.canParse(address) && /^https?:/.test(address)) return address.replace(/\/+$/, '');
  throw new CrossdockError('usage', '--url must be an address with http:// or https://');
}

function duration(text: string): number {
  const parsed = parseDurationMs(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('It must be a duration, such as 10m or 2h.');
}

function rate(text: string): Rate {
  const parsed = parseRate(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('It must be a number in a time, such as 50/s or 600/m.');
}
