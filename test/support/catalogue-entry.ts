// Entries of the catalogue in tests: what they say, and the connector that each makes.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import { isObject } from '../../src/definitions/content.ts';
import type { ConnectorDefinition } from '../../src/definitions/definitions.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { catalogFolder, errorsOf, loadFiles } from './definition-project.ts';

export const entryNames = readdirSync(catalogFolder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

export function entryOf(name: string): JsonObject {
  return parse(readFileSync(join(catalogFolder, `${name}.yaml`), 'utf8')) as JsonObject;
}

export function part(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function verifyOf(entry: JsonObject): Json | undefined {
  return part(entry['receive'])['verify'];
}

/** What a setting needs to be where just any text will not do. */
const settingTexts: Readonly<Record<string, string>> = {
  url: 'https://hub.example/webhooks/one',
};

/**
 * The connector that an entry makes of its required settings and, where it needs one, a secret: any
 * that is a key of its way, or the one given.
 */
export async function loadEntry(name: string, secret?: string): Promise<ConnectorDefinition> {
  const entry = entryOf(name);
  const verify = verifyOf(entry);
  const environment: Record<string, string> = { THE_SECRET: secret ?? secretFor(verify) };
  const settings: string[] = [];
  for (const [setting, spec] of Object.entries(part(entry['settings']))) {
    if (part(spec)['required'] !== true) continue;
    const variable = `SETTING_${setting}`;
    environment[variable] = settingTexts[setting] ?? `dummy-${setting}`;
    settings.push(`  ${setting}: "\${${variable}}"\n`);
  }
  const text = [
    `uses: ${name}\n`,
    ...(settings.length === 0 ? [] : ['settings:\n', ...settings]),
    ...(needsSecret(verify) ? ['receive: { secrets: ["', '$', '{THE_SECRET}"] }\n'] : []),
  ].join('');
  const files = { 'connectors/one.yaml': text };
  const result = await loadFiles(files, { kinds: [...connectorKinds], environment });
  assert.deepEqual(errorsOf(result), []);
  const definition = result.definitions?.connectors.get('one');
  assert.ok(definition !== undefined);
  return definition;
}

/** Nothing is shared where the vendor publishes its key. */
function needsSecret(verify: Json | undefined): boolean {
  if (verify === undefined || verify === 'none') return false;
  const ways = waysOf(verify);
  return ways.some((way) => {
    if (isObject(way['key']) || 'jwks' in part(way['jwt'])) return false;
    return way['scheme'] !== 'sns' && !('addresses' in way) && !('certificate' in way);
  });
}

function waysOf(verify: Json | undefined): readonly JsonObject[] {
  const list = part(verify)['any'] ?? part(verify)['all'];
  return Array.isArray(list) ? list.map(part) : [part(verify)];
}

/** A secret in the form that the way to verify asks for; it serves as a password too. */
function secretFor(verify: Json | undefined): string {
  const ways = waysOf(verify);
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
