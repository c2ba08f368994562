import { readFile } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import type { Environment } from '../config/environment.ts';
import { packageRoot } from '../config/package-root.ts';

export interface Sample {
  readonly body: Buffer;
  readonly contentType?: string;
}

const types: Readonly<Record<string, string>> = {
  '.xml': 'application/xml',
  '.txt': 'application/x-www-form-urlencoded',
};

/** What the entry that `connector` uses ships for `topic`, if it ships something. */
export async function findSample(
  { folder }: Environment,
  connector: string,
  topic: string,
): Promise<Sample | undefined> {
  const catalog = join(packageRoot, 'connectors/catalog');
  const entry = await fieldOf(join(folder, 'connectors', `${connector}.yaml`), 'uses');
  if (typeof entry !== 'string' || !/^[a-z][a-z0-9-]*$/.test(entry)) return undefined;
  const samples = await fieldOf(join(catalog, `${entry}.yaml`), 'samples');
  const name = Object.entries(Object(samples)).find(([one]) => one === topic)?.[1];
  if (typeof name !== 'string') return undefined;
  const file = resolve(catalog, name);
  if (!file.startsWith(catalog + sep)) return undefined;
  const contentType = types[extname(file)];
  const body = await readFile(file);
  return contentType === undefined ? { body } : { body, contentType };
}

async function fieldOf(file: string, name: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return (Object(parse(text, { logLevel: 'silent' })) as Record<string, unknown>)[name];
}
