// The mail that a mapping made: read with suspicion, then composed. Nothing in it can add a
// recipient, a header or a file that was not asked for.

import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { parseKeepingDigits } from '../model/exact-json.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { Message } from './connector.ts';
import { type Mailbox, parseMailbox } from './mailbox.ts';
import { MessageInvalid } from './message-invalid.ts';

export interface Mail {
  readonly messageId: string;
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly Attachment[];
}

interface Attachment {
  readonly filename: string;
  readonly contentType: string | undefined;
  readonly content: Buffer;
}

const RECIPIENTS_MAX = 100;
const ATTACHMENTS_MAX = 20;

const mailFields = [
  'to',
  'cc',
  'bcc',
  'replyTo',
  'from',
  'subject',
  'text',
  'html',
  'headers',
  'attachments',
];
const attachmentFields = ['filename', 'contentType', 'content', 'encoding'];

/** Headers that the mail's own fields, or the mail servers, write. */
const ownHeaders =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|content-.*|received|return-path|dkim-signature)$/i;

/** Throws `MessageInvalid` naming the field, never its value. */
export function parseMail(message: Message, defaultFrom: string): Mail {
  const fields = parseObject(message.body);
  refuseUnknown(fields, mailFields, '');
  const from = mailboxOf(fields['from'] ?? defaultFrom, 'from');
  const mail = {
    messageId: messageId(message.idempotencyKey, from),
    from,
    to: mailboxes(fields, 'to'),
    cc: mailboxes(fields, 'cc'),
    bcc: mailboxes(fields, 'bcc'),
    replyTo: mailboxes(fields, 'replyTo'),
    subject: oneLine(fields['subject'], 'subject'),
    text: optionalText(fields['text'], 'text'),
    html: optionalText(fields['html'], 'html'),
    headers: headersOf(fields['headers']),
    attachments: attachmentsOf(fields['attachments']),
  };
  if (mail.to.length === 0) throw new MessageInvalid('the mail has no "to"');
  if (mail.to.length + mail.cc.length + mail.bcc.length > RECIPIENTS_MAX) {
    throw new MessageInvalid(`the mail has more than ${RECIPIENTS_MAX} recipients`);
  }
  if (mail.text === undefined && mail.html === undefined) {
    throw new MessageInvalid('the mail has neither "text" nor "html"');
  }
  return mail;
}

/** The whole mail as it goes over the wire. Blind copies are not in it. */
export function composeMail(mail: Mail, nowMs: number): Promise<Buffer> {
  const composer = new MailComposer({
    messageId: mail.messageId,
    date: new Date(nowMs),
    from: mail.from,
    to: [...mail.to],
    cc: [...mail.cc],
    replyTo: [...mail.replyTo],
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: { ...mail.headers },
    attachments: mail.attachments.map((attachment) => ({ ...attachment })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/** The same for every attempt of a delivery, so that mailboxes can tell a repeat. */
function messageId(idempotencyKey: string, from: Mailbox): string {
  const hash = createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32);
  return `<${hash}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`;
}

function parseObject(text: string): JsonObject {
  let value: Json;
  try {
    value = parseKeepingDigits(text);
  } catch (cause) {
    throw new MessageInvalid('the message is not JSON', { cause });
  }
  return objectOf(value, 'the message');
}

function objectOf(value: Json, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new MessageInvalid(`${what} is not an object`);
}

function refuseUnknown(fields: JsonObject, known: readonly string[], prefix: string): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new MessageInvalid(`"${prefix}${unknown}" is not a field of a mail: ${known.join(', ')}`);
}

function mailboxes(fields: JsonObject, name: string): Mailbox[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value)) return [mailboxOf(value, name)];
  return value.map((item, index) => mailboxOf(item, `${name}.${index}`));
}

function mailboxOf(value: Json, name: string): Mailbox {
  const mailbox = typeof value === 'string' ? parseMailbox(value) : undefined;
  if (mailbox !== undefined) return mailbox;
  throw new MessageInvalid(`"${name}" is not one mail address`);
}

function optionalText(value: Json | undefined, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new MessageInvalid(`"${name}" is not text`);
}

/** Text that ends up in a header: a line break in it could begin another header. */
function oneLine(value: Json | undefined, name: string): string {
  const text = optionalText(value, name);
  if (text === undefined) throw new MessageInvalid(`the mail has no "${name}"`);
  if (/\p{Cc}/u.test(text)) {
    throw new MessageInvalid(`"${name}" has a line break or another control character`);
  }
  return text;
}

function headersOf(value: Json | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, item] of Object.entries(objectOf(value ?? {}, '"headers"'))) {
    if (!/^[A-Za-z0-9-]+$/.test(name) || ownHeaders.test(name)) {
      throw new MessageInvalid('"headers" has a name that is not valid or not free to set');
    }
    headers[name] = oneLine(item, `headers.${name}`);
  }
  return headers;
}

function attachmentsOf(value: Json | undefined): Attachment[] {
  const items = value ?? [];
  if (!Array.isArray(items)) throw new MessageInvalid('"attachments" is not a list');
  if (items.length > ATTACHMENTS_MAX) {
    throw new MessageInvalid(`"attachments" has more than ${ATTACHMENTS_MAX} entries`);
  }
  return items.map((item, index) => attachmentOf(item, `attachments.${index}`));
}

function attachmentOf(value: Json, at: string): Attachment {
  const fields = objectOf(value, `"${at}"`);
  refuseUnknown(fields, attachmentFields, `${at}.`);
  const contentType = optionalText(fields['contentType'], `${at}.contentType`);
  if (contentType !== undefined && !/^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$/.test(contentType)) {
    throw new MessageInvalid(`"${at}.contentType" is not a media type`);
  }
  return {
    filename: oneLine(fields['filename'], `${at}.filename`),
    contentType,
    content: contentOf(fields, at),
  };
}

function contentOf(fields: JsonObject, at: string): Buffer {
  const content = optionalText(fields['content'], `${at}.content`);
  if (content === undefined) throw new MessageInvalid(`"${at}" has no "content"`);
  const encoding = fields['encoding'] ?? 'utf8';
  if (encoding === 'utf8') return Buffer.from(content);
  if (encoding !== 'base64') {
    throw new MessageInvalid(`"${at}.encoding" is neither utf8 nor base64`);
  }
  const packed = content.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    throw new MessageInvalid(`"${at}.content" is not base64`);
  }
  return Buffer.from(packed, 'base64');
}
