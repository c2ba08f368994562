// The catalogue of vendors: entries that connectors are made from with `uses` and `settings`.

import { basename, dirname, isAbsolute, relative, sep } from 'node:path';
import type { Json, JsonObject } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import type { ShapeChecker } from './check-shape.ts';
import {
  type Content,
  checkRoot,
  fileContent,
  isObject,
  mergedContent,
  valueAt,
} from './content.ts';
import { type Fault, fault } from './fault.ts';
import { hasVariable, type Lookup } from './interpolate.ts';
import { type FolderContent, readFolder, type SourceText } from './read-folder.ts';
import { parseYamlFile, type YamlFile } from './yaml-file.ts';

export interface Catalogue {
  readonly entries: ReadonlyMap<string, SourceText>;
  readonly problems: readonly Problem[];
}

/** Reads the names and texts of all entries; each is looked into only when it is used. */
export async function readCatalogue(folder: string, catalogFolder: string): Promise<Catalogue> {
  const way = relative(folder, catalogFolder);
  const isInProject = way !== '' && !way.startsWith('..') && !isAbsolute(way);
  const place = isInProject
    ? { project: folder, name: way.split(sep).join('/') }
    : { project: dirname(catalogFolder), name: basename(catalogFolder) };
  const content: FolderContent = await readFolder({ ...place, extensions: ['.yaml'] });
  return {
    entries: new Map(content.files.map((source) => [source.id, source])),
    problems: content.problems,
  };
}

export interface EntryUse {
  /** Absent where the entry is unknown or wrong, so that nothing more can be said. */
  readonly content?: Content;
  /** Values of settings that the entry calls secret. */
  readonly secrets: readonly string[];
  readonly problems: readonly Problem[];
}

interface Tools {
  readonly catalogue: Catalogue;
  /** Schema of an entry. */
  readonly entryShape: JsonObject;
  readonly checkShape: ShapeChecker;
}

/** The content of a connector file with the entry that it `uses` under it, if it uses one. */
export function applyEntry(yaml: YamlFile, tools: Tools): EntryUse {
  const own = fileContent(yaml);
  const name = own.value['uses'];
  if (typeof name !== 'string') {
    const message = '"settings" belong to a catalogue entry, and "uses" names none';
    const path = ['settings'];
    const faults = yaml.has(path) ? [fault(path, 'unknown-field', { message, target: 'key' })] : [];
    return { content: own, secrets: [], problems: own.problems(faults) };
  }
  const source = tools.catalogue.entries.get(name);
  if (source === undefined) {
    const hint = didYouMeanOrKnown(name, tools.catalogue.entries.keys());
    const message = `the catalogue has no entry "${name}"`;
    const faults = [fault(['uses'], 'unknown-catalogue-entry', { message, hint })];
    return { secrets: [], problems: own.problems(faults) };
  }
  const plain = parseYamlFile(source);
  const entryProblems = [
    ...plain.problems,
    ...(plain.yaml === undefined ? [] : checkEntry(plain.yaml, tools)),
  ];
  if (plain.yaml === undefined || entryProblems.length > 0) {
    return { secrets: [], problems: entryProblems };
  }
  return useEntry(yaml, { source, yaml: plain.yaml });
}

/** What is wrong with an entry itself, without the fields of its kind. */
function checkEntry(yaml: YamlFile, tools: Tools): readonly Problem[] {
  const wrongRoot = checkRoot(yaml);
  if (wrongRoot.length > 0) return wrongRoot;
  const content = fileContent(yaml);
  const faults = tools.checkShape({ schema: tools.entryShape, value: yaml.value });
  // What a setting stands in for is looked at once it is there.
  return content.problems(faults.filter(({ path }) => !isSetting(valueAt(yaml.value, path))));
}

function isSetting(value: Json | undefined): boolean {
  return typeof value === 'string' && hasVariable(value);
}

interface Entry {
  readonly source: SourceText;
  readonly yaml: YamlFile;
}

function useEntry(yaml: YamlFile, entry: Entry): EntryUse {
  const specs = (entry.yaml.value as JsonObject)['settings'];
  const settings = readSettings(yaml, isObject(specs) ? specs : {});
  const lookup: Lookup = (name) => settings.values.get(name);
  const filled = parseYamlFile(entry.source, { lookup });
  if (filled.yaml === undefined) {
    return { secrets: [], problems: filled.problems };
  }
  const content = mergedContent(yaml, filled.yaml);
  const isMissing = settings.faults.some(({ code }) => code === 'missing-setting');
  const problems = [...content.problems(settings.faults), ...(isMissing ? [] : filled.problems)];
  return { content, secrets: settings.secrets, problems };
}

interface Settings {
  /** By the name that `${…}` has in the entry: `settings.NAME`. */
  readonly values: ReadonlyMap<string, string>;
  readonly secrets: readonly string[];
  readonly faults: readonly Fault[];
}

function readSettings(yaml: YamlFile, specs: JsonObject): Settings {
  const part = (yaml.value as JsonObject)['settings'];
  const settings = Object.entries(specs).map(([name, value]): Setting => {
    const text = yaml.textAt(['settings', name]) ?? textOf(isObject(part) ? part[name] : null);
    return { name, spec: isObject(value) ? value : {}, text };
  });
  const given = settings.flatMap(({ name, text }): [string, string][] =>
    text ? [[`settings.${name}`, text]] : [],
  );
  const secret = settings.filter(({ spec }) => spec['secret'] === true);
  return {
    values: new Map(given),
    secrets: secret.map(({ text }) => text ?? ''),
    faults: [
      ...unknownSettings(part, specs),
      ...settings.flatMap((setting) => checkSetting(yaml, setting)),
    ],
  };
}

interface Setting {
  readonly name: string;
  readonly spec: JsonObject;
  /** Empty where it is not given; `undefined` where it is no scalar. */
  readonly text: string | undefined;
}

function checkSetting(yaml: YamlFile, { name, spec, text }: Setting): readonly Fault[] {
  const path = ['settings', name];
  if (text === undefined) {
    const message = `the setting "${name}" must be text, a number, or true or false`;
    return [fault(path, 'wrong-type', { message })];
  }
  if (text === '' && spec['required'] === true) {
    const message = `the setting "${name}" is missing`;
    const hint = hintOf(spec);
    return [fault(['settings'], 'missing-setting', { message, hint, target: 'key' })];
  }
  const raw = (yaml.raw as JsonObject)['settings'];
  const isClear = text !== '' && isObject(raw) && !hasVariable(String(raw[name]));
  if (spec['secret'] !== true || !isClear) return [];
  const message = `the setting "${name}" is a secret and is written in clear`;
  const hint = 'put it into an environment variable';
  return [fault(path, 'secret-in-clear', { message, hint })];
}

function unknownSettings(given: Json | undefined, specs: JsonObject): readonly Fault[] {
  if (!isObject(given)) return [];
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(specs, name))
    .map((name) => {
      const message = `the entry has no setting "${name}"`;
      const hint = didYouMeanOrKnown(name, Object.keys(specs)) ?? 'it has none at all';
      return fault(['settings', name], 'unknown-setting', { message, hint, target: 'key' });
    });
}

function hintOf(spec: JsonObject): string | undefined {
  return typeof spec['description'] === 'string' ? spec['description'].trim() : undefined;
}

/** Empty text for nothing at all; `undefined` for what is no scalar. */
function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? undefined : String(value);
}
