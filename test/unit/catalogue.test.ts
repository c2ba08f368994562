// The entries of the catalogue: each makes a connector once its settings and secrets are given, and
// finds topic and id in the samples that it ships.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
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
import type { JsonObject } from '../../src/model/json.ts';
import { parseDurationMs } from '../../src/model/units.ts';
import { entryNames, entryOf, loadEntry, part, verifyOf } from '../support/catalogue-entry.ts';
import { catalogFolder } from '../support/definition-project.ts';
import { requestOf } from '../support/receiver.ts';

/** Events are kept at least so long, so that what a vendor repeats is known. */
const RETRIES_MS_MAX = 7 * 86_400_000;

const loaded = new Map<string, Promise<ConnectorDefinition>>();

function connectorOf(name: string): Promise<ConnectorDefinition> {
  const known = loaded.get(name) ?? loadEntry(name);
  loaded.set(name, known);
  return known;
}

/** Throws where a secret is no key of its way. */
function checkKeys(verify: VerifyDefinition): void {
  if (verify.kind === 'any' || verify.kind === 'all') verify.of.forEach(checkKeys);
  if (verify.kind !== 'signature' || verify.key.kind === 'fetched') return;
  secretKeys(verify.secrets, verify.key.kind, verify.algorithm.family);
}

describe('every entry of the catalogue', () => {
  for (const name of entryNames) {
    test(`${name} makes a connector of its settings and secrets`, async () => {
      const { receive } = await connectorOf(name);
      if (receive?.verify !== undefined) checkKeys(receive.verify);
    });

    test(`${name} says what an operator must know`, () => checkFacts(entryOf(name)));

    const samples = Object.entries(part(entryOf(name)['samples']));
    for (const [topic, file] of samples) {
      test(`${name} finds topic and id in its sample of ${topic}`, async () => {
        const { receive } = await connectorOf(name);
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
  for (const name of entryNames) {
    const samples = Object.entries(part(entryOf(name)['samples']));
    const { receive } = await connectorOf(name);
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
  const named = entryNames.flatMap((name) => {
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
    identify(receive, createRequestReader(request, { url: receive.url, json }), { bytes: json }),
  );
}

function eventsIn(
  { split }: ReceiveDefinition,
  body: Buffer,
  read: (source: Source) => string | undefined,
): readonly Buffer[] {
  if (split === undefined) return [body];
  const field = split.form === undefined ? undefined : read({ from: 'form', name: split.form });
  const elements = elementsOf(field === undefined ? body : Buffer.from(field), split.list);
  // Where there is no list, the body is one event: an entry may take both.
  return elements.length > 0 ? elements : [body];
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
