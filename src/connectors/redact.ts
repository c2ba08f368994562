import { EXCHANGE_TEXT_MAX } from './connector.ts';

/** Keeps secret values out of everything that is journaled or shown. */
export interface Redactor {
  /** `text` with every secret, in each form it travels in, replaced by `[redacted]`. */
  redact(text: string): string;
  /** The first `EXCHANGE_TEXT_MAX` characters of the redacted text; no secret survives in part at the cut. */
  excerpt(text: string): string;
  /** A redactor that knows one more secret, such as an access token that was just issued. */
  with(secret: string): Redactor;
}

const MASK = '[redacted]';
const CUT_MARK = '… [cut]';
/** Shorter values would shred ordinary text; definitions carry none. */
const SECRET_LENGTH_MIN = 4;

export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  const longest = forms[0]?.length ?? 0;

  function redact(text: string): string {
    let result = text;
    for (const form of forms) {
      if (result.includes(form)) result = result.replaceAll(form, MASK);
    }
    return result;
  }

  function excerpt(text: string): string {
    if (text.length <= EXCHANGE_TEXT_MAX) return redact(text).slice(0, EXCHANGE_TEXT_MAX);
    const redacted = redact(text.slice(0, EXCHANGE_TEXT_MAX + longest));
    const kept = Math.min(EXCHANGE_TEXT_MAX - CUT_MARK.length, redacted.length - longest);
    return redacted.slice(0, Math.max(0, kept)) + CUT_MARK;
  }

  return { redact, excerpt, with: (secret) => createRedactor([...secrets, secret]) };
}

/** A secret as it is, inside JSON, inside JSON inside JSON, inside a URL or a form, and in base64. */
function formsOf(secret: string): string[] {
  if (secret.length < SECRET_LENGTH_MIN) return [];
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(Buffer.from(secret).toString()),
    new URLSearchParams({ s: secret }).toString().slice(2),
    Buffer.from(secret).toString('base64'),
  ];
}
