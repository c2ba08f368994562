// Who is signed in: the admin token itself (`Authorization: Bearer`), or a cookie that was given for
// it. The cookie carries its own expiry and a MAC keyed by the token, so nothing is stored, and a
// new token ends every session.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const SESSION_COOKIE = 'crossdock_session';
export const SESSION_MS = 12 * 3_600_000;

export interface Sessions {
  /** Compares in constant time. */
  isToken(candidate: string): boolean;
  /** The value of a new session's cookie. */
  issue(): string;
  isSignedIn(request: IncomingMessage): boolean;
}

export function createSessions(adminToken: string, now: () => number = Date.now): Sessions {
  const tokenHash = sha256(adminToken);
  const sign = (expiresMs: number): Buffer =>
    createHmac('sha256', adminToken).update(`crossdock session ${expiresMs}`).digest();

  return {
    isToken: (candidate) => timingSafeEqual(sha256(candidate), tokenHash),
    issue() {
      const expiresMs = now() + SESSION_MS;
      return `${expiresMs}.${sign(expiresMs).toString('base64url')}`;
    },
    isSignedIn(request) {
      const match = /^(\d{1,15})\.([\w-]{43})$/.exec(cookieOf(request, SESSION_COOKIE) ?? '');
      const expiresMs = Number(match?.[1] ?? 0);
      const mac = Buffer.from(match?.[2] ?? '', 'base64url');
      const expected = sign(expiresMs);
      return mac.length === expected.length && timingSafeEqual(mac, expected) && expiresMs > now();
    },
  };
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.split('=', 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
