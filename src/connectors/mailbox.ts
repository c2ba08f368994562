/** One mail address, perhaps with a name; nodemailer's own form of it. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

// No spaces, brackets, commas, quotes or control characters: what remains cannot become a second
// recipient or a second header. Quoted local parts (RFC 5321 §4.1.2) are not taken.
const addressPattern = /^[^\s<>()[\],;:"\\@\p{Cc}]{1,64}@[^\s<>()[\],;:"\\@\p{Cc}]{1,255}$/u;

/** Exactly one mailbox, as `name@domain` or `Name <name@domain>`; `undefined` for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  const trimmed = text.trim();
  const named = /^([^<>]*)<([^<>]*)>$/.exec(trimmed);
  const address = (named?.[2] ?? trimmed).trim();
  const name = (named?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
  if (!addressPattern.test(address) || /\p{Cc}/u.test(name)) return undefined;
  return { name, address };
}
