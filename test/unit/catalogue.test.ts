// The entries of the catalogue: each makes a connector once its settings and secrets are given, and
// finds topic and id in the samples that it ships.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import { isObject } from '../../src/definitions/content.ts';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import type {
  Place,
  ReceiveDefinition,
  Source,
  TemplatePart,
  VerifyDefinition,
} from '../../src/definitions/receive.ts';
import { elementsOf } from '../../src/intake/elements.ts';
import { type Identity, identify } from '../../src/intake/identify.ts';
import { secretKeys } from '../../src/intake/secret-keys.ts';
import { createRequestReader } from '../../src/intake/webhook-request.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { parseDurationMs } from '../../src/model/units.ts';
import { catalogFolder, errorsOf, loadFiles } from '../support/definition-project.ts';
import { requestOf } from '../support/receiver.ts';

const RETRIES_MS_MAX = 30 * 86_400_000;

const names = readdirSync(catalogFolder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

function entryOf(name: string): JsonObject {
  return parse(readFileSync(join(catalogFolder, `${name}.yaml`), 'utf8')) as JsonObject;
}

function part(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function verifyOf(entry: JsonObject): Json | undefined {
  return part(entry['receive'])['verify'];
}

/** What a setting needs to be where just any text will not do. */
const settingTexts: Readonly<Record<string, string>> = {
  url: 'https://hub.example/webhooks/one',
};

const loaded = new Map<string, Promise<ConnectorDefinition>>();

function loadEntry(name: string): Promise<ConnectorDefinition> {
  const known = loaded.get(name) ?? makeConnector(name);
  loaded.set(name, known);
  return known;
}

/** A project with one connector of the entry: its required settings, and one secret. */
async function makeConnector(name: string): Promise<ConnectorDefinition> {
  const entry = entryOf(name);
  const environment: Record<string, string> = { THE_SECRET: secretFor(verifyOf(entry)) };
  const settings: string[] = [];
  for (const [setting, spec] of Object.entries(part(entry['settings']))) {
    if (part(spec)['required'] !== true) continue;
    const variable = `SETTING_${setting}`;
    environment[variable] = settingTexts[setting] ?? `dummy-${setting}`;
    settings.push(`  ${setting}: "\${${variable}}"\n`);
  }
  const verify = verifyOf(entry);
  const isSecret = verify !== undefined && verify !== 'none';
  const text = [
    `uses: ${name}\n`,
    ...(settings.length === 0 ? [] : ['settings:\n', ...settings]),
    ...(isSecret ? ['receive: { secrets: ["', '$', '{THE_SECRET}"] }\n'] : []),
  ].join('');
  const files = { 'connectors/one.yaml': text };
  const result = await loadFiles(files, { kinds: [...connectorKinds], environment });
  assert.deepEqual(errorsOf(result), []);
  const definition = result.definitions?.connectors.get('one');
  assert.ok(definition !== undefined);
  return definition;
}

/** A secret in the form that the way to verify asks for; it serves as a password too. */
function secretFor(verify: Json | undefined): string {
  const list = part(verify)['any'] ?? part(verify)['all'];
  const ways = Array.isArray(list) ? list.map(part) : [part(verify)];
  const way = ways.find((one) => 'key' in one) ?? ways[0] ?? {};
  if ('rsa' in way || part(way['jwt'])['key'] === 'pem') return rsaPem();
  if ('ecdsa' in way) return spki('ec', { namedCurve: 'P-256' }).toString('base64');
  if ('ed25519' in way) return `whpk_${spki('ed25519', {}).subarray(-32).toString('base64')}`;
  if (way['key'] === 'hex') return 'ab'.repeat(32);
  if (way['key'] === 'base64' || way['key'] === 'whsec') {
    return Buffer.alloc(32, 7).toString('base64');
  }
  return 'user:a-long-password';
}

function rsaPem(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

function spki(kind: 'ec' | 'ed25519', options: { readonly namedCurve?: string }): Buffer {
  const { publicKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: options.namedCurve ?? 'P-256' })
      : generateKeyPairSync('ed25519');
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** Throws where a secret is no key of its way. */
function checkKeys(verify: VerifyDefinition): void {
  if (verify.kind === 'any' || verify.kind === 'all') verify.of.forEach(checkKeys);
  if (verify.kind !== 'signature' || verify.key.kind === 'fetched') return;
  secretKeys(verify.secrets, verify.key.kind, verify.algorithm.family);
}

describe('every entry of the catalogue', () => {
  for (const name of names) {
    test(`${name} makes a connector of its settings and secrets`, async () => {
      const { receive } = await loadEntry(name);
      if (receive?.verify !== undefined) checkKeys(receive.verify);
    });

    test(`${name} says what an operator must know`, () => checkFacts(entryOf(name)));

    const samples = Object.entries(part(entryOf(name)['samples']));
    for (const [topic, file] of samples) {
      test(`${name} finds topic and id in its sample of ${topic}`, async () => {
        const { receive } = await loadEntry(name);
        assert.ok(receive !== undefined);
        const found = identities(receive, topic, String(file));
        assert.ok(found.length > 0, 'the sample holds no event');
        for (const identity of found) {
          assert.equal(identity.topic, topic);
          const isHash = identity.dedupeKey.includes(`:sha256:${identity.sha256}`);
          assert.equal(isHash, receive.dedupe === undefined, identity.dedupeKey);
        }
        assert.equal(new Set(found.map(({ dedupeKey }) => dedupeKey)).size, found.length);
      });
    }
  }
});

function checkFacts(entry: JsonObject): void {
  const verify = verifyOf(entry);
  const facts = part(entry['facts']);
  const wanted = [
    ...(verify === undefined ? [] : ['success', 'retries']),
    ...(verify === 'none' ? ['unverified'] : []),
  ];
  for (const field of ['title', 'description', 'docs', 'setup']) assert.ok(entry[field], field);
  for (const field of wanted) assert.ok(facts[field], `facts.${field}`);
  const retriesMs = parseDurationMs(String(facts['retriesFor'] ?? '0s'));
  assert.ok(retriesMs !== undefined && retriesMs <= RETRIES_MS_MAX, 'facts.retriesFor');
}

test('where an entry reads the time of an event, one of its samples has it', async () => {
  for (const name of names) {
    const samples = Object.entries(part(entryOf(name)['samples']));
    const { receive } = await loadEntry(name);
    const places = receive?.occurredAt ?? [];
    if (receive === undefined || samples.length === 0 || places.length === 0) continue;
    if (places.some(({ from }) => from === 'header')) continue;
    const found = samples.flatMap(([topic, file]) => identities(receive, topic, String(file)));
    assert.ok(
      found.some(({ occurredAt }) => occurredAt?.getUTCFullYear() === 2026),
      name,
    );
  }
});

test('every sample belongs to an entry, and stands in its folder', () => {
  const named = names.flatMap((name) => {
    const files = Object.values(part(entryOf(name)['samples'])).map(String);
    for (const file of files) assert.ok(file.startsWith(`samples/${name}/`), file);
    return files;
  });
  const there = readdirSync(join(catalogFolder, 'samples'), { recursive: true })
    .map(String)
    .filter((file) => /\.[a-z]+$/.test(file))
    .map((file) => `samples/${file.replaceAll('\\', '/')}`);
  assert.deepEqual([...named].sort(), there.sort());
});

/** The events of a sample, sent with the headers and the address that name its topic. */
function identities(receive: ReceiveDefinition, topic: string, file: string): readonly Identity[] {
  const body = readFileSync(join(catalogFolder, file));
  const query = sourcesOf(receive.topic).find(({ from }) => from === 'query');
  const target = query?.from === 'query' ? `/webhooks/one?${query.name}=${topic}` : '/webhooks/one';
  const headers = { ...headersOf(receive.dedupe ?? [], 'id-1'), ...topicHeaders(receive, topic) };
  const request = requestOf({ target, headers, body });
  const reader = createRequestReader(request, { url: receive.url });
  return eventsIn(receive, body, reader.read).map((json) =>
    identify(receive, createRequestReader(request, { url: receive.url, json }), json),
  );
}

function eventsIn(
  { split }: ReceiveDefinition,
  body: Buffer,
  read: (source: Source) => string | undefined,
): readonly Buffer[] {
  if (split === undefined) return [body];
  const field = split.form === undefined ? undefined : read({ from: 'form', name: split.form });
  return elementsOf(field === undefined ? body : Buffer.from(field), split.list);
}

/** With a template such as `{header:X-GitHub-Event}[.{json:action}]` the header is what comes first. */
function topicHeaders({ topic: place }: ReceiveDefinition, topic: string): Record<string, string> {
  const isTemplate = place.some(({ from }) => from === 'template');
  return headersOf(place, isTemplate ? (topic.split('.')[0] ?? topic) : topic);
}

function headersOf(place: Place, value: string): Record<string, string> {
  const headers = sourcesOf(place).flatMap((source) =>
    source.from === 'header' ? [[source.name, value] as const] : [],
  );
  return Object.fromEntries(headers);
}

function sourcesOf(place: Place): readonly Source[] {
  return place.flatMap((step): readonly Source[] => {
    if (step.from === 'is') return [];
    return step.from === 'template' ? step.template.flatMap(sourcesIn) : [step];
  });
}

function sourcesIn(one: TemplatePart): readonly Source[] {
  if (one.kind === 'source') return [one.source];
  return one.kind === 'optional' ? one.parts.flatMap(sourcesIn) : [];
}
