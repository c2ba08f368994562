import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import type { MappingAnswer } from '../mapping/mapper.ts';
import { CrossdockError } from '../model/errors.ts';
import type { EventContext } from '../model/event.ts';
import type { Expression } from '../model/flow-revision.ts';
import { newId } from '../model/ids.ts';
import { decodeJson } from '../model/json-text.ts';
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
    return show(answer, options.json === true);
  } finally {
    await mapper.close();
  }
}

function show(answer: MappingAnswer, json: boolean): ExitCode {
  switch (answer.kind) {
    case 'mapped':
      print(json ? `{"output":${answer.output}}` : formatExact(parseExactJson(answer.output), 2));
      return exitCodes.fine;
    case 'failed':
      if (json) print(JSON.stringify({ error: { code: answer.code, message: answer.message } }));
      note(`crossdock: ${answer.code}: ${answer.message}`);
      return exitCodes.findings;
    case 'filtered':
      throw new Error('a mapping without `when` cannot filter');
  }
}

async function readMapping(folder: string, mapping: string): Promise<Expression> {
  const isPath = mapping.endsWith('.jsonata');
  const path = isPath ? resolve(mapping) : join(folder, 'mappings', `${mapping}.jsonata`);
  const bytes = await readGiven(path);
  const inside = relative(folder, path);
  const file = inside.startsWith('..') || isAbsolute(inside) ? basename(path) : inside;
  return { source: bytes.toString(), file: file.split(sep).join('/'), line: 1, column: 1 };
}

async function readEvent(file: string | undefined): Promise<EventContext> {
  const receivedAt = new Date().toISOString();
  const event = { id: newId(), source: 'cli', topic: 'cli', key: 'cli', receivedAt, headers: {} };
  if (file === undefined) return event;
  const given: unknown = JSON.parse(decodeJson(await readGiven(file)));
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CrossdockError('usage', `${file} must hold a JSON object with fields of $event`);
  }
  return { ...event, ...given };
}
