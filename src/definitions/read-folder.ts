// The files of one definition folder as text. Owns what may be read at all: names, sizes,
// encodings, symbolic links. What stands in the files is for others.

import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { fileProblem } from './fault.ts';

/** Bytes of one file that are read at most. */
export const FILE_BYTES_MAX = 1_048_576;
/** Files in one folder that are looked at. */
export const FILES_PER_FOLDER_MAX = 2_000;

/** The text of one file. */
export interface SourceText {
  /** Base name without the extension. */
  readonly id: string;
  /** Such as `.test.yaml`. */
  readonly extension: string;
  /** Relative to the project folder, with forward slashes. */
  readonly file: string;
  readonly text: string;
}

export interface FolderContent {
  readonly files: readonly SourceText[];
  /** Files that are no definitions; some of them may be samples that a test refers to. */
  readonly strays: readonly string[];
  readonly problems: readonly Problem[];
}

interface Folder {
  /** Absolute path of the project folder. */
  readonly project: string;
  /** Relative to it, such as `flows`. */
  readonly name: string;
  /** Longest first. */
  readonly extensions: readonly string[];
}

/**
 * Reads the files of one folder that carry one of its extensions; sub-folders and dot-files are
 * not looked into, and a missing folder is an empty one. Never rejects on what it finds.
 */
export async function readFolder(folder: Folder): Promise<FolderContent> {
  const files: SourceText[] = [];
  const strays: string[] = [];
  const problems: Problem[] = [];
  const listed = await listFolder(folder);
  problems.push(...listed.problems, ...checkSubFolders(folder, listed.folders));
  for (const name of listed.names) {
    const file = `${folder.name}/${name}`;
    const named = splitName(name, folder.extensions);
    if (named === undefined) {
      strays.push(file);
    } else if (typeof named === 'string') {
      const message = 'this name would not be picked up';
      problems.push(fileProblem(file, 'wrong-file-name', { message, hint: `rename to ${named}` }));
    } else {
      const read = await readText(folder.project, file);
      if ('problem' in read) problems.push(read.problem);
      else files.push({ ...named, file, text: read.text });
    }
  }
  return { files, strays, problems };
}

/**
 * Reads one file below `project`: UTF-8 (a byte order mark is dropped), at most `FILE_BYTES_MAX`,
 * an ordinary file that no symbolic link takes out of the folder.
 */
export async function readText(
  project: string,
  file: string,
): Promise<{ readonly text: string } | { readonly problem: Problem }> {
  const path = join(project, file);
  try {
    if (!isInside(await realpath(project), await realpath(path))) {
      const message = 'leads out of the project folder';
      return { problem: fileProblem(file, 'file-outside-folder', { message }) };
    }
    const found = await stat(path);
    if (!found.isFile()) {
      const message = 'is not an ordinary file';
      return { problem: fileProblem(file, 'file-unreadable', { message }) };
    }
    if (found.size > FILE_BYTES_MAX) {
      const message = `has ${found.size} bytes; ${FILE_BYTES_MAX} are allowed`;
      return { problem: fileProblem(file, 'file-too-large', { message }) };
    }
    return decode(file, await readFile(path));
  } catch (error) {
    const message = `cannot be read: ${systemCode(error)}`;
    return { problem: fileProblem(file, 'file-unreadable', { message }) };
  }
}

function decode(file: string, bytes: Buffer): { text: string } | { problem: Problem } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const message = 'is not UTF-8 text';
    return { problem: fileProblem(file, 'file-not-utf8', { message }) };
  }
}

interface Listing {
  /** Of files. */
  readonly names: readonly string[];
  /** Names of sub-folders. */
  readonly folders: readonly string[];
  readonly problems: readonly Problem[];
}

async function listFolder(folder: Folder): Promise<Listing> {
  const nothing: Listing = { names: [], folders: [], problems: [] };
  try {
    const entries = await readdir(join(folder.project, folder.name), { withFileTypes: true });
    const visible = entries.filter(({ name }) => !name.startsWith('.') && name !== 'README.md');
    const folders = visible.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const files = visible.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    if (files.length <= FILES_PER_FOLDER_MAX) {
      return { names: files.sort(), folders: folders.sort(), problems: [] };
    }
    const message = `holds ${files.length} files; ${FILES_PER_FOLDER_MAX} are allowed`;
    return { ...nothing, problems: [fileProblem(folder.name, 'too-many-files', { message })] };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return nothing;
    const message = `cannot be listed: ${systemCode(error)}`;
    return { ...nothing, problems: [fileProblem(folder.name, 'file-unreadable', { message })] };
  }
}

/** Sub-folders are free, but one that is called like a definition was meant to be one. */
function checkSubFolders(folder: Folder, names: readonly string[]): readonly Problem[] {
  return names
    .filter((name) => splitName(name, folder.extensions) !== undefined)
    .map((name) => {
      const message = 'is a folder, and what is in it is not read';
      const hint = 'make it a file, or give it a name without an extension';
      const rest = { message, hint, severity: 'warning' } as const;
      return fileProblem(`${folder.name}/${name}`, 'unexpected-file', rest);
    });
}

/** The parts of a good name, the name that a bad one should have, or `undefined` for a stray. */
function splitName(
  name: string,
  extensions: readonly string[],
): { id: string; extension: string } | string | undefined {
  const corrected = name.replace(/\.yml$/i, '.yaml').replace(/\.(YAML|JSON|JSONATA)$/, lowerCase);
  const extension = extensions.find((end) => corrected.endsWith(end));
  if (extension === undefined) return undefined;
  const id = corrected.slice(0, -extension.length);
  if (corrected === name && /^[a-z][a-z0-9-]*$/.test(id)) return { id, extension };
  return `${toId(id)}${extension}`;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

function toId(text: string): string {
  const words = text.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  const id = words.replace(/[^a-z0-9]+/g, '-').replace(/^[^a-z]+|-+$/g, '');
  return id === '' ? 'a-name' : id;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
