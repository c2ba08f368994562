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
  return step.template.some((part) => isMissing(part, from))
    ? undefined
    : renderText(step.template, from);
}

/** Whether a part that is not optional has no value. */
function isMissing(part: TemplatePart, from: Readable): boolean {
  return part.kind === 'source' && from.read(part.source) === undefined;
}

/** The pieces of what a template comes to, end to end; what is absent is empty. */
export function renderPieces(template: Template, from: Readable): readonly (string | Buffer)[] {
  return template.map((part) => renderPart(part, from));
}

function renderPart(part: TemplatePart, from: Readable): string | Buffer {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'source':
      return from.read(part.source) ?? '';
    case 'token':
      return from.token(part.token) ?? '';
    case 'optional':
      return part.parts.some((one) => isMissing(one, from)) ? '' : renderText(part.parts, from);
  }
}

export function renderText(template: Template, from: Readable): string {
  return renderPieces(template, from)
    .map((piece) => piece.toString())
    .join('');
}
