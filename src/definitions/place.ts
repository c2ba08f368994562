// A place: `{ header: X-Topic }`, `{ header: [A, B], json: type, is: other }`. Where its keys name
// several places, they are looked at in the order of `placeKeys`, whatever the order in the file.

import type { Json, JsonObject } from '../model/json.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import type { Place, PlaceStep } from './receive.ts';
import { type Parsed, parseSource, parseTemplate } from './template.ts';

export const placeKeys = ['header', 'query', 'pair', 'json', 'form', 'claim', 'template', 'is'];

type PlaceKey = PlaceStep['from'];

/** Steps that cannot be parsed are left out; `placeFaults` says what is wrong with them. */
export function parsePlace(value: Json | undefined): Place {
  return parsedSteps(value).flatMap(({ parsed }) => ('value' in parsed ? [parsed.value] : []));
}

/** What is wrong with the texts of a place whose shape is right. */
export function placeFaults(value: Json | undefined, path: Path): readonly Fault[] {
  return parsedSteps(value).flatMap(({ parsed, at }) =>
    'problem' in parsed ? [fault([...path, ...at], 'wrong-value', parsed.problem)] : [],
  );
}

interface ParsedStep {
  readonly at: Path;
  readonly parsed: Parsed<PlaceStep>;
}

function parsedSteps(value: Json | undefined): readonly ParsedStep[] {
  if (!isObject(value)) return [];
  return placeKeys.flatMap((key) => stepsOf(key as PlaceKey, value));
}

function stepsOf(key: PlaceKey, place: JsonObject): readonly ParsedStep[] {
  const given = place[key];
  if (Array.isArray(given)) {
    return (given as readonly Json[]).flatMap((one, index) =>
      typeof one === 'string' ? [{ at: [key, index], parsed: parseStep(key, one) }] : [],
    );
  }
  return typeof given === 'string' ? [{ at: [key], parsed: parseStep(key, given) }] : [];
}

function parseStep(from: PlaceKey, text: string): Parsed<PlaceStep> {
  if (from === 'is') return { value: { from, text } };
  if (from !== 'template') return parseSource(from, text);
  const template = parseTemplate(text);
  return 'problem' in template ? template : { value: { from, template: template.value, text } };
}
