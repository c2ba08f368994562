import { type Format, paint, plain } from './terminal.ts';

export type Cell = string | { readonly text: string; readonly format: Format };

const GAP = '  ';

/** Rows under their headings, each column as wide as its widest cell. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): readonly string[] {
  const heading = headings.map((text): Cell => ({ text, format: 'bold' }));
  return formatColumns([heading, ...rows]);
}

/** `name  value` lines, for one thing in detail. */
export function formatFields(fields: readonly (readonly [string, Cell])[]): readonly string[] {
  return formatColumns(fields.map(([name, cell]) => [{ text: name, format: 'dim' }, cell]));
}

/** What a cell of a list shows of a text; the whole text is where one thing is shown. */
const CELL_CHARS_MAX = 100;

/** A text for a cell of a list: no line breaks, at most 100 characters. */
export function inOneLine(text: string): string {
  const line = plain(text.replace(/\s+/g, ' ')).trim();
  return line.length <= CELL_CHARS_MAX ? line : `${line.slice(0, CELL_CHARS_MAX - 1).trimEnd()}…`;
}

/** Rows without headings. */
export function formatColumns(rows: readonly (readonly Cell[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, textOf(cell).length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const text = textOf(cell);
        const width = index === row.length - 1 ? 0 : (widths[index] ?? 0);
        return formatCell(cell, text) + ' '.repeat(Math.max(0, width - text.length));
      })
      .join(GAP)
      .trimEnd(),
  );
}

function textOf(cell: Cell): string {
  return plain(typeof cell === 'string' ? cell : cell.text);
}

function formatCell(cell: Cell, text: string): string {
  return typeof cell === 'string' ? text : paint(cell.format, text);
}
