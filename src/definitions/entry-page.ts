// The page of one catalogue entry, made from the entry: docs/connectors/<name>.md.

import type { JsonObject } from '../model/json.ts';
import { isObject } from './content.ts';
import { describeVerify } from './entry-words.ts';

export interface Entry {
  readonly name: string;
  readonly value: JsonObject;
}

/** Markdown; the sections that the entry says nothing about are left out. */
export function entryPage({ name, value }: Entry): string {
  const receive = part(value, 'receive');
  const facts = part(value, 'facts');
  const sections = [
    `# ${text(value, 'title')}`,
    text(value, 'description'),
    value['docs'] === undefined ? '' : `The vendor's own page: <${text(value, 'docs')}>`,
    section('Set up', text(value, 'setup')),
    section('The connector', connectorFile(name, value)),
    section('What is verified', describeVerify(receive['verify'])),
    section('What is read', table(['what', 'from'], readRows(receive))),
    section('How the vendor behaves', table(['', ''], factRows(facts))),
    section('When something is wrong', trouble(receive['verify'], value['troubleshooting'])),
    section('What is not verified', text(facts, 'unverified')),
  ];
  const made = `<!-- Made from connectors/catalog/${name}.yaml; do not edit. -->`;
  return `${[made, ...sections].filter((one) => one !== '').join('\n\n')}\n`;
}

/** The page that lists all entries. */
export function entryList(entries: readonly Entry[]): string {
  const rows = entries.map(({ name, value }) => [
    `[${text(value, 'title')}](${name}.md)`,
    `\`${name}\``,
    text(value, 'description'),
  ]);
  const made = '<!-- Made from connectors/catalog; do not edit. -->';
  const intro =
    'A connector takes an entry with `uses`; see [connectors.md](../connectors.md#the-catalogue).';
  const list = table(['vendor', '`uses`', 'what'], rows);
  return `${[made, '# The catalogue', intro, list].join('\n\n')}\n`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`;
}

/** What a merchant writes: the settings that are required, and the secret. */
function connectorFile(name: string, value: JsonObject): string {
  const settings = Object.entries(part(value, 'settings'));
  const required = settings.filter(([, spec]) => isObject(spec) && spec['required'] === true);
  const variable = name.toUpperCase().replaceAll('-', '_');
  const lines = [`# connectors/${name}.yaml`, `uses: ${name}`];
  if (required.length > 0) lines.push('settings:');
  for (const [one] of required) lines.push(`  ${one}: \${${variable}_${snake(one)}}`);
  if (needsSecret(part(value, 'receive')['verify'])) {
    lines.push('receive:', `  secrets: ["\${${variable}_WEBHOOK_SECRET}"]`);
  }
  const rows = settings.map(([one, spec]) => [
    `\`${one}\``,
    isObject(spec) ? text(spec, 'description') : '',
    required.some(([other]) => other === one) ? 'yes' : 'no',
  ]);
  const known = rows.length === 0 ? '' : `\n\n${table(['setting', 'what', 'required'], rows)}`;
  return `\`\`\`yaml\n${lines.join('\n')}\n\`\`\`${known}`;
}

function snake(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}

/** Where the text of some way's own secrets is asked for. */
function needsSecret(verify: unknown): boolean {
  const written = JSON.stringify(verify ?? 'none');
  return !/^"none"$|"fetch"|"jwks"|"secrets"|"addresses"|"certificate"/.test(written);
}

const reads = [
  ['topic', 'topic'],
  ['dedupe', 'id of the message'],
  ['occurredAt', 'time'],
  ['shop', 'shop or account'],
  ['split', 'events of one request'],
  ['handshakes', 'handshakes'],
  ['bodyMax', 'largest body'],
] as const;

function readRows(receive: JsonObject): readonly (readonly string[])[] {
  return reads.flatMap(([field, words]) =>
    receive[field] === undefined ? [] : [[words, placeWords(receive[field])]],
  );
}

/** `header X-A or X-B, else json type`. */
function placeWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(placeWords).join(', ');
  if (!isObject(value as JsonObject)) return `\`${String(value)}\``;
  return Object.entries(value as JsonObject)
    .map(([from, names]) => {
      const list = [names]
        .flat()
        .map((one) => `\`${typeof one === 'string' ? one : JSON.stringify(one)}\``);
      return `${from} ${list.join(' or ')}`;
    })
    .join(', else ');
}

const factWords = [
  ['success', 'takes for success'],
  ['timeout', 'waits for an answer'],
  ['retries', 'tries again'],
  ['givesUp', 'gives up'],
  ['badSignature', 'a bad signature is answered with'],
  ['rotation', 'a change of the secret'],
  ['dedupe', 'the same message again'],
] as const;

function factRows(facts: JsonObject): readonly (readonly string[])[] {
  return factWords.flatMap(([field, words]) =>
    facts[field] === undefined ? [] : [[words, text(facts, field)]],
  );
}

function trouble(verify: unknown, own: unknown): string {
  const written = JSON.stringify(verify ?? 'none');
  const lines = Array.isArray(own) ? own.map((one) => String(one)) : [];
  lines.push(
    'Nothing arrives: `crossdock events` lists what did; look at the address at the vendor, and at its log.',
  );
  if (written !== '"none"') {
    lines.push(
      'Every request is answered 401: the secret is another one. `crossdock send` with the same topic tells whether the hub itself accepts what is signed with it.',
    );
  }
  if (/"(hmac|hash|rsa|ecdsa|ed25519)"/.test(written)) {
    lines.push(
      '`crossdock send` is accepted and the vendor is not: a proxy on the way changes the body or drops headers. The bytes must arrive as they were sent.',
    );
  }
  if (/"(timestamp|jwt)"/.test(written)) {
    lines.push(
      'Some are refused as too old: the clock is wrong (`crossdock doctor`), or something on the way holds requests back.',
    );
  }
  return lines.map((line) => `- ${line}`).join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(value: string): string {
  return value.replaceAll('\n', ' ').replaceAll('|', '\\|').trim();
}

function part(value: JsonObject, name: string): JsonObject {
  const found = value[name];
  return isObject(found) ? found : {};
}

function text(value: JsonObject, name: string): string {
  const found = value[name];
  // `<your hub>` would be taken for HTML.
  return typeof found === 'string' ? found.trim().replace(/<(?!https?:)/g, '\\<') : '';
}
