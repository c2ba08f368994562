// The kind `file`: one message becomes one line of newline-delimited JSON, in one file a day.

import { isAbsolute, join, normalize, resolve, sep } from 'node:path';
import type { ConnectorDefinition, KindProblem } from '../definitions/definitions.ts';
import type { JsonObject } from '../model/json.ts';
import type { Outcome } from '../model/outcome.ts';
import { type CallGuard, CallStopped, guardCall } from './call-guard.ts';
import type { Connector, ConnectorContext, ConnectorKind, Message, Sent } from './connector.ts';
import { createFileAppender } from './file-appender.ts';
import { bareLine, envelopeLine } from './file-line.ts';
import { MessageInvalid } from './message-invalid.ts';
import { systemErrorCode } from './network-failure.ts';
import { createRedactor } from './redact.ts';
import { invalidMessage, unknownOperation } from './unsent.ts';

interface FileOperationFields {
  readonly file: string;
  readonly envelope?: boolean;
}

const connectorSchema: JsonObject = {
  type: 'object',
  description: 'Files of newline-delimited JSON, one a day: an archive or an audit copy.',
  additionalProperties: false,
  required: ['directory'],
  properties: {
    directory: {
      type: 'string',
      minLength: 1,
      description: 'The folder of the files: absolute, or below the project folder. It is made.',
    },
  },
};

const operationSchema: JsonObject = {
  type: 'object',
  description: 'Appends one line.',
  additionalProperties: false,
  required: ['file'],
  properties: {
    file: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
      description:
        'The beginning of the file name; "orders" becomes orders-2026-11-22.ndjson (UTC).',
    },
    envelope: {
      type: 'boolean',
      default: true,
      description:
        'true: a line is {"id","key","source","topic","receivedAt","body"}. false: a line is the message alone.',
    },
  },
};

export const fileKind: ConnectorKind = {
  kind: 'file',
  connectorSchema,
  operationSchema,
  secretFields: [],
  check: ({ directory }) => (typeof directory === 'string' ? checkDirectory(directory) : []),
  create: createFileConnector,
};

function checkDirectory(directory: string): KindProblem[] {
  if (isAbsolute(directory) || !isOutside(directory)) return [];
  const message = 'the directory is outside the project folder';
  const hint = 'write an absolute path if that is meant';
  return [{ path: ['directory'], code: 'directory-outside', message, hint }];
}

function isOutside(relative: string): boolean {
  const normal = normalize(relative);
  return normal === '..' || normal.startsWith(`..${sep}`);
}

function createFileConnector(
  definition: ConnectorDefinition,
  context: ConnectorContext,
): Connector {
  const directory = String(definition.fields['directory']);
  const folder = resolve(context.folder, directory);
  const name = definition.title ?? definition.id;
  const redactor = createRedactor(definition.secrets);
  const appender = createFileAppender();

  async function append(message: Message, fields: FileOperationFields, guard: CallGuard) {
    const line = fields.envelope === false ? bareLine(message) : envelopeLine(message);
    const day = new Date(context.now()).toISOString().slice(0, 10);
    const file = `${fields.file}-${day}.ndjson`;
    const bytes = Buffer.from(`${line}\n`);
    const outcome = await outcomeOf(appender.append(join(folder, file), bytes, guard), guard, {
      name,
      file,
      timeoutMs: definition.timeoutMs,
    });
    const summary = redactor.redact(`append to ${join(directory, file)}`);
    const request = { summary, body: redactor.excerpt(line), bytes: bytes.length };
    if (outcome.kind !== 'delivered') return { outcome, exchange: { request } };
    const responseBody = Buffer.from(JSON.stringify({ file, bytes: bytes.length }));
    return { outcome, exchange: { request }, responseBody };
  }

  return {
    async send(message, signal): Promise<Sent> {
      const operation = definition.operations.get(message.operation);
      if (operation === undefined) return unknownOperation(name, message);
      signal.throwIfAborted();
      const guard = guardCall(definition.timeoutMs, signal);
      try {
        const fields = operation.fields as unknown as FileOperationFields;
        const sent = await append(message, fields, guard);
        if (guard.stop === 'aborted') throw signal.reason;
        return sent;
      } catch (error) {
        if (error instanceof MessageInvalid) return invalidMessage(name, message, error);
        throw error;
      } finally {
        guard.close();
      }
    },
    close: () => appender.close(),
  };
}

interface OutcomeContext {
  readonly name: string;
  readonly file: string;
  readonly timeoutMs: number;
}

/** Every failure of a disk is one that an operator can mend, so all of them are tried again. */
async function outcomeOf(
  appended: Promise<void>,
  guard: CallGuard,
  { name, file, timeoutMs }: OutcomeContext,
): Promise<Outcome> {
  try {
    await guard.wait(appended);
    return { kind: 'delivered' };
  } catch (error) {
    const ambiguous = guard.written ? { ambiguous: true } : {};
    if (error instanceof CallStopped) {
      const reason = `${name} did not have its line in ${file} within ${timeoutMs} ms`;
      return { kind: 'retry', code: 'timed-out', reason, ...ambiguous };
    }
    const reason = `${name} could not write ${file}: ${diskFailureText(error)}`;
    return { kind: 'retry', code: 'remote-error', reason, ...ambiguous };
  }
}

const diskTexts: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EIO: 'the disk has an error',
  EACCES: 'the hub may not write there',
  EPERM: 'the hub may not write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'the path is a folder',
  EMFILE: 'too many files are open',
};

function diskFailureText(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return `${diskTexts[code] ?? 'the write failed'} (${code})`;
}
