import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { readFolder } from '../definitions/read-folder.ts';
import type { MappingAnswer } from '../mapping/mapper.ts';
import { CrossdockError } from '../model/errors.ts';
import type { EventContext } from '../model/event.ts';
import type { Expression } from '../model/flow-revision.ts';
import { newId } from '../model/ids.ts';
import { decodeJson } from '../model/json-text.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { formatExact, parseExactJson } from './exact-value.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { openMapper } from './open-mapper.ts';
import { readGiven } from './read-given.ts';
import { note, print, withProgress } from './terminal.ts';

interface MapOptions extends CommonOptions {
  readonly event?: string;
}

export function addMap(program: Command): void {
  defineCommand(program, {
    usage: 'map',
    summary: 'Evaluate one mapping over one body and print the result.',
    details: 'Exits 1 if the mapping fails, with its line and column.',
    examples: [
      'map order-to-erp order.json',
      'map mappings/order-to-erp.jsonata - < order.json',
      'map order-to-erp order.json --event event.json',
    ],
  })
    .argument('<mapping>', 'a name of mappings/, or the path of a .jsonata file')
    .argument('<payload>', 'a JSON file with the body; - reads stdin')
    .option('--event <file>', 'a JSON file with fields of $event: id, source, topic, headers …')
    .action(ending(map));
}

async function map(mapping: string, payload: string, options: MapOptions): Promise<ExitCode> {
  const { folder } = readEnvironment();
  const expression = await readMapping(folder, mapping);
  const body = payload === '-' ? Buffer.from(await text(process.stdin)) : await readGiven(payload);
  const event = await readEvent(options.event);
  const mapper = await openMapper();
  try {
    const answer = await withProgress(
      'evaluating',
      mapper.map('map', { map: expression }, { body, event }),
    );
    return show(answer, payload, options.json === true);
  } finally {
    await mapper.close();
  }
}

function show(answer: MappingAnswer, payload: string, json: boolean): ExitCode {
  switch (answer.kind) {
    case 'mapped':
      print(json ? `{"output":${answer.output}}` : formatExact(parseExactJson(answer.output), 2));
      return exitCodes.fine;
    case 'failed': {
      const { code } = answer;
      const message = code === 'body-unreadable' ? about(payload, answer) : answer.message;
      if (json) print(JSON.stringify({ error: { code, message } }));
      note(`crossdock: ${code}: ${message}`);
      return exitCodes.findings;
    }
    case 'filtered':
      throw new Error('a mapping without `when` cannot filter');
  }
}

function about(payload: string, { message }: { readonly message: string }): string {
  return `${payload === '-' ? 'standard input' : payload}: ${message}`;
}

async function readMapping(folder: string, mapping: string): Promise<Expression> {
  const isPath = mapping.endsWith('.jsonata');
  const path = isPath ? resolve(mapping) : join(folder, 'mappings', `${mapping}.jsonata`);
  if (!isPath && !existsSync(path)) throw await unknownMapping(folder, mapping);
  const bytes = await readGiven(path);
  const inside = relative(folder, path);
  const file = inside.startsWith('..') || isAbsolute(inside) ? basename(path) : inside;
  return { source: bytes.toString(), file: file.split(sep).join('/'), line: 1, column: 1 };
}

async function unknownMapping(folder: string, mapping: string): Promise<CrossdockError> {
  const place = { project: folder, name: 'mappings', extensions: ['.test.yaml', '.jsonata'] };
  const { files } = await readFolder(place);
  const known = files.filter(({ extension }) => extension === '.jsonata').map(({ id }) => id);
  const hint = didYouMeanOrKnown(mapping, known) ?? 'there are no mappings at all';
  const message = `there is no mapping "${mapping}" in ${join(folder, 'mappings')}; ${hint}`;
  const todo = 'Give the name of a mapping, or the path of a .jsonata file.';
  return new CrossdockError('usage', message, { todo });
}

async function readEvent(file: string | undefined): Promise<EventContext> {
  const receivedAt = new Date().toISOString();
  const event = { id: newId(), source: 'cli', topic: 'cli', key: 'cli', receivedAt, headers: {} };
  if (file === undefined) return event;
  const given = parseEvent(await readGiven(file));
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CrossdockError('usage', `${file} must hold a JSON object with fields of $event`);
  }
  return { ...event, ...given };
}

/** `undefined` where it is no JSON. */
function parseEvent(bytes: Buffer): unknown {
  try {
    return JSON.parse(decodeJson(bytes));
  } catch {
    return undefined;
  }
}
