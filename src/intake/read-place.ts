// What the places and templates of a `receive:` come to in one request.

import type { Place, Source, Template, TemplatePart, Token } from '../definitions/receive.ts';

/** What a way to verify adds to the request's own reader goes first. */
export interface Readable {
  read(source: Source): string | undefined;
  token(token: Token): string | Buffer | undefined;
}

/** The text of the first step that is there and not empty. */
export function readPlace(place: Place, from: Readable): string | undefined {
  for (const step of place) {
    const text = readStep(step, from);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

function readStep(step: Place[number], from: Readable): string | undefined {
  if (step.from === 'is') return step.text;
  if (step.from !== 'template') return from.read(step);
  const pieces = wholePieces(step.template, from);
  return pieces === undefined ? undefined : joined(pieces);
}

/** The pieces of what a template comes to, end to end; what is absent is empty. */
export function renderPieces(template: Template, from: Readable): readonly (string | Buffer)[] {
  const pieces: (string | Buffer)[] = [];
  for (const part of template) {
    if (part.kind === 'optional') pieces.push(...(wholePieces(part.parts, from) ?? []));
    else pieces.push(pieceOf(part, from) ?? '');
  }
  return pieces;
}

/** The pieces of a template, or nothing where a part that is not optional has no value. */
function wholePieces(template: Template, from: Readable): readonly (string | Buffer)[] | undefined {
  const pieces: (string | Buffer)[] = [];
  for (const part of template) {
    if (part.kind === 'optional') {
      pieces.push(...(wholePieces(part.parts, from) ?? []));
      continue;
    }
    const piece = pieceOf(part, from);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return pieces;
}

function pieceOf(
  part: Exclude<TemplatePart, { readonly kind: 'optional' }>,
  from: Readable,
): string | Buffer | undefined {
  if (part.kind === 'text') return part.text;
  return part.kind === 'source' ? from.read(part.source) : from.token(part.token);
}

export function renderText(template: Template, from: Readable): string {
  return joined(renderPieces(template, from));
}

function joined(pieces: readonly (string | Buffer)[]): string {
  return pieces.map((piece) => piece.toString()).join('');
}
