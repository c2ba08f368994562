// Posts correctly signed webhooks to a running hub, one after another, as their sender would.

import { type Command, InvalidArgumentError } from 'commander';
import { type Environment, readEnvironment } from '../config/environment.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { signedHeaders } from '../intake/sign.ts';
import { CrossdockError } from '../model/errors.ts';
import { newId } from '../model/ids.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { parseRate, type Rate } from '../model/units.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { withPlaceholders } from './placeholder-variables.ts';
import { requireProject } from './project.ts';
import { readGiven } from './read-given.ts';
import { samplePayload } from './sample-payload.ts';
import { countOf, note, print, printJson, withProgress } from './terminal.ts';

const COUNT_MAX = 100_000;
const DEADLINE_MS = 10_000;
const ANSWER_SHOWN_MAX = 300;

interface SendOptions extends CommonOptions {
  readonly url?: string;
  readonly id?: string;
  readonly shop?: string;
  readonly count: number;
  readonly rate?: Rate;
}

interface Answer {
  readonly status: number;
  /** The event's id, where it was taken. */
  readonly id?: string;
  /** The beginning of a refusal. */
  readonly text?: string;
}

interface Answered extends Answer {
  /** An earlier one of the same run had the same event's id; of earlier runs nothing is known. */
  readonly duplicate?: true;
}

export function addSend(program: Command): void {
  defineCommand(program, {
    usage: 'send',
    summary: 'Post correctly signed webhooks of a connector to the running hub.',
    details: 'Without a payload a small paid order is sent, each time another one.',
    examples: [
      'send shop orders/create',
      'send shop orders/create order.json --id b54557e4 --count 10',
      'send shop orders/create --count 500 --rate 50/s',
    ],
  })
    .argument('<connector>', 'a connector that receives')
    .argument('<topic>', 'the topic of the webhook')
    .argument('[payload]', 'a file that is sent byte for byte')
    .option('--url <url>', "the hub's address; HOST and PORT say it otherwise")
    .option('--id <id>', 'the id of the message, the same for all of --count; otherwise new ones')
    .option('--shop <shop>', 'the shop, where the connector reads one')
    .option('--count <n>', 'how many, one after another', wholeNumber(COUNT_MAX), 1)
    .option('--rate <n/s>', 'at most this many in a time, such as 50/s or 600/m', rate)
    .action(ending(send));
}

type SendArguments = [
  connector: string,
  topic: string,
  payload: string | undefined,
  options: SendOptions,
];

async function send(...[connector, topic, payload, options]: SendArguments): Promise<ExitCode> {
  const environment = readEnvironment();
  const receive = await receiverOf(environment, connector);
  const url = new URL(`${addressOf(environment, options)}/webhooks/${connector}`);
  const body = payload === undefined ? undefined : await readGiven(payload);
  const answers = await withProgress('sending', sendAll({ topic, options, receive, url, body }));
  const taken = answers.filter(({ id }) => id !== undefined);
  const duplicates = answers.filter(({ duplicate }) => duplicate).length;
  const refused = answers.length - taken.length;
  if (options.json) printJson({ sent: answers.length, duplicates, refused, answers });
  else report(answers, { duplicates, refused });
  return refused > 0 ? exitCodes.findings : exitCodes.fine;
}

function report(
  answers: readonly Answered[],
  { duplicates, refused }: { duplicates: number; refused: number },
): void {
  for (const { id, duplicate, status, text } of answers) {
    if (id !== undefined) print(duplicate ? `${id} (came before)` : id);
    else note(`refused with ${status}: ${text ?? ''}`);
  }
  if (answers.length === 1) return;
  const counts = `${countOf(duplicates, 'duplicate')}, ${refused} refused`;
  note(`${answers.length} sent, ${counts}`);
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

async function sendAll(sending: {
  readonly topic: string;
  readonly options: SendOptions;
  readonly receive: ReceiveDefinition;
  readonly url: URL;
  readonly body: Buffer | undefined;
}): Promise<readonly Answered[]> {
  const { topic, receive, url } = sending;
  const { id, shop, count, rate: limit } = sending.options;
  const answers: Answered[] = [];
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    if (limit !== undefined) await waitUntil(startedMs + (index * limit.perMs) / limit.count);
    const occurredAt = new Date();
    const body = sending.body ?? samplePayload(occurredAt);
    const webhook = { topic, id: id ?? newId(), occurredAt, body };
    const headers = signedHeaders(receive, shop === undefined ? webhook : { ...webhook, shop });
    const answer = await post(url, headers, body);
    const seen = answer.id !== undefined && answers.some(({ id }) => id === answer.id);
    answers.push(seen ? { ...answer, duplicate: true } : answer);
  }
  return answers;
}

async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const init = { method: 'POST', headers, body: new Uint8Array(body), signal } as const;
    const response = await fetch(url, { ...init, redirect: 'manual' });
    const text = await response.text();
    return answerOf(response.status, text);
  } catch (error) {
    throw unreachable(url, error);
  }
}

function unreachable(url: URL, cause: unknown): CrossdockError {
  return new CrossdockError('hub-unreachable', `no answer from ${url.origin}`, { cause });
}

function answerOf(status: number, text: string): Answer {
  if (status < 200 || status > 299) return { status, text: text.slice(0, ANSWER_SHOWN_MAX) };
  try {
    const { id } = Object(JSON.parse(text)) as { readonly id?: unknown };
    if (typeof id === 'string') return { status, id };
  } catch {
    // A 2xx of something else than a hub.
  }
  return { status, text: 'the answer is not that of a hub' };
}

async function waitUntil(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

function rate(text: string): Rate {
  const parsed = parseRate(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('It must be a number in a time, such as 50/s or 600/m.');
}
