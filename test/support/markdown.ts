// The manual as tests read it: the pages, their tables and headings.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.ts';

/** The text of a file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(packageRoot, path), 'utf8');
}

/** The cells of the first table below a heading, without the table's head. */
export function tableBelow(markdown: string, heading: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const first = lines.findIndex((line, index) => index > start && line.startsWith('|'));
  if (first < 0) throw new Error(`there is no table below "${heading}"`);
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'));
  return lines.slice(first + 2, length < 0 ? undefined : first + length).map(cellsOf);
}

/** A `\|` is a bar inside a cell. */
function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** What a cell says, without backticks and with a link's text in place of the link. */
export function plainCell(cell: string): string {
  return cell.replaceAll('`', '').replace(/\[([^\]]+)\]\([^)\s]+\.md[^)]*\)/g, '$1');
}

/** The text without fenced code. */
export function withoutFences(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```/gm, '');
}
