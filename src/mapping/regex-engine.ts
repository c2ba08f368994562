// Regular expressions in linear time (RE2), in the shape JSONata and Ajv expect of `RegExp`:
// `(a+)+$` over a long string must not cost more than any other pattern.

import { type Matcher, RE2JS } from 're2js';

const compiled = new WeakMap<RegExp, RE2JS>();

/**
 * The RE2 form of a JavaScript pattern. Throws where RE2 has no such thing: look-around,
 * backreferences.
 */
export function compileRegex(source: string, flags: string): RE2JS {
  let options = 0;
  if (flags.includes('i')) options |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('m')) options |= RE2JS.MULTILINE;
  if (flags.includes('s')) options |= RE2JS.DOTALL;
  return RE2JS.compile(RE2JS.translateRegExp(source), options);
}

/** What JSONata's `RegexEngine` makes of a regular expression literal; always global. */
export class LinearRegex {
  lastIndex = 0;
  readonly #pattern: RE2JS;
  #matcher: Matcher | undefined;
  #text: string | undefined;

  constructor(regex: RegExp) {
    const known = compiled.get(regex);
    this.#pattern = known ?? compileRegex(regex.source, regex.flags);
    if (known === undefined) compiled.set(regex, this.#pattern);
  }

  exec(text: string): LinearMatch | null {
    if (this.#matcher === undefined || this.#text !== text) {
      this.#matcher = this.#pattern.matcher(text);
      this.#text = text;
    }
    const matcher = this.#matcher;
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    const groups: LinearMatch = Object.assign([], { index: matcher.start() });
    for (let group = 0; group <= matcher.groupCount(); group++) {
      groups.push(matcher.group(group) ?? undefined);
    }
    return groups;
  }
}

type LinearMatch = (string | undefined)[] & { index: number };
