// Which deaths are one problem: those of one class and connector whose reasons differ in nothing but
// ids, numbers, times, addresses and quoted values. The status of an answer counts.

import { createHash } from 'node:crypto';

/** A problem as one death shows it: what is stored of it the first time. */
export interface ProblemSighting {
  /** 32 hex digits. */
  readonly fingerprint: string;
  readonly class: string;
  readonly code: string;
  readonly connector: string;
  /** Normalised: it carries no value of a message. */
  readonly message: string;
}

export const problemStates = ['open', 'acknowledged', 'resolved', 'ignored'] as const;

export type ProblemState = (typeof problemStates)[number];

const FINGERPRINT_DIGITS = 32;
/** As many digits as people are shown and may give. */
export const SHORT_FINGERPRINT_DIGITS = 12;
/** Reasons are longer only where somebody's text is in them. */
const REASON_CHARS_MAX = 2_000;
const MESSAGE_CHARS_MAX = 300;

/** What stands in a message for everything that differs. One for all, since an id may look like any. */
const PLACEHOLDER = '…';

const varying: readonly RegExp[] = [
  // quoted values
  /"(?:[^"\\]|\\.)*"|`[^`]*`|“[^”]*”|«[^»]*»|(?<!\w)'[^']*'(?!\w)/g,
  // mail addresses
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)*/g,
  // every word with a digit: ids, numbers, times, amounts, addresses of the network, hashes
  /[\w-]*\d[\w-]*(?:[.,:/+][\w-]*\d[\w-]*)*/g,
  // hexadecimal without a digit
  /\b[a-f]{12,}\b/gi,
];

/** A reason without what differs from one failure to the next; at most 300 characters. */
export function normaliseReason(reason: string): string {
  let text = reason.slice(0, REASON_CHARS_MAX);
  for (const pattern of varying) text = masked(text, pattern);
  return text.replace(/\s+/g, ' ').trim().slice(0, MESSAGE_CHARS_MAX);
}

function masked(text: string, pattern: RegExp): string {
  return text.replace(pattern, (word, at: number) =>
    isStatus(word, text.slice(0, at)) ? word : PLACEHOLDER,
  );
}

/** The status of an answer says what the trouble is, and there are few of them. */
function isStatus(word: string, before: string): boolean {
  return /^[1-5]\d\d$/.test(word) && /\b(?:answered|HTTP) $/.test(before);
}

/** What the message of an alert's death begins with: it is a problem of its own, which is not told. */
const OF_ALERT = 'alert not sent: ';

/** The problem that a delivery's death belongs to. */
export function sightProblem(death: {
  readonly class: string;
  readonly code: string;
  readonly connector: string;
  readonly reason: string;
  /** It was to send an event of the hub itself. @default false */
  readonly isAlert?: boolean;
}): ProblemSighting {
  const { code, connector } = death;
  const cause = normaliseReason(death.reason);
  const message = death.isAlert === true ? OF_ALERT + cause : cause;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([death.class, connector, message]))
    .digest('hex')
    .slice(0, FINGERPRINT_DIGITS);
  return { fingerprint, class: death.class, code, connector, message };
}

/** The beginning of a fingerprint, as people type it. */
export function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{12,32}$/.test(text);
}
