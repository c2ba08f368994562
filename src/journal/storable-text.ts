/**
 * Text that PostgreSQL can store: NUL and lone surrogates, which it refuses, become U+FFFD. Bodies
 * are bytes and need none of this.
 */
export function storableText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed;
}

/** The same for JSON text, where a NUL or a lone surrogate may stand as an escape. */
export function storableJson(json: string): string {
  if (!/\\u(0000|d[89a-f])/i.test(json)) return storableText(json);
  const value: unknown = JSON.parse(json, (_key, part: unknown) =>
    typeof part === 'string' ? storableText(part) : part,
  );
  return storableText(JSON.stringify(value));
}
