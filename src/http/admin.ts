// The admin sign-in: the guard in front of everything that shows or changes what the hub holds, and
// the page that lets people past it.

import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { CrossdockError } from '../model/errors.ts';
import { html } from './html.ts';
import { pageHeaders, sendPage } from './page.ts';
import { requireSameOrigin } from './same-origin.ts';
import {
  bearerToken,
  createSessions,
  SESSION_COOKIE,
  SESSION_MS,
  type Sessions,
} from './session.ts';

/** Wrong tokens that one address may try … */
export const WRONG_TRIES_MAX = 20;
/** … in this time; then right ones are refused too. */
const WRONG_TRIES_WINDOW_MS = 15 * 60_000;
const FORM_BYTES_MAX = 4_096;

export interface Admin {
  /** Lets a token or a session past; sends browsers to the sign-in page and others a 401. */
  readonly require: RequestHandler;
  readonly routes: Router;
}

export function createAdmin(adminToken: string): Admin {
  const sessions = createSessions(adminToken);
  const checkToken = createTokenCheck(sessions);

  const guard: RequestHandler = async (request, response, next) => {
    const token = bearerToken(request);
    if (token !== undefined) {
      await checkToken(token, request, response);
      next();
    } else if (sessions.isSignedIn(request)) {
      next();
    } else if (wantsPage(request)) {
      response.redirect(302, `/sign-in?next=${encodeURIComponent(request.originalUrl)}`);
    } else {
      response.set('www-authenticate', 'Bearer realm="crossdock"');
      throw new CrossdockError('not-signed-in', 'send the admin token as Authorization: Bearer');
    }
  };
  return { require: guard, routes: signInRoutes(sessions, checkToken) };
}

export function wantsPage(request: Request): boolean {
  return request.method === 'GET' && request.accepts(['json', 'html']) === 'html';
}

/** Rejects `not-signed-in` for a wrong token and `too-many-tries` for any after too many of them. */
type TokenCheck = (token: string, request: Request, response: Response) => Promise<void>;

function createTokenCheck(sessions: Sessions): TokenCheck {
  const countWrong = rateLimit({
    windowMs: WRONG_TRIES_WINDOW_MS,
    limit: WRONG_TRIES_MAX,
    standardHeaders: false,
    legacyHeaders: false,
    // Addresses are those of the sockets; what a proxy adds is neither trusted nor worth a warning.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_request, _response, next) => next(),
  });
  return async (token, request, response) => {
    const tries = await countWrong.getKey(ipKeyGenerator(request.ip ?? ''));
    if (tries !== undefined && tries.totalHits >= WRONG_TRIES_MAX) {
      const waitMs = (tries.resetTime?.getTime() ?? Date.now()) - Date.now();
      response.set('retry-after', String(Math.max(1, Math.ceil(waitMs / 1_000))));
      throw new CrossdockError('too-many-tries', 'too many wrong tokens from this address');
    }
    if (sessions.isToken(token)) return;
    await new Promise<void>((resolve) => {
      void countWrong(request, response, () => resolve());
    });
    throw new CrossdockError('not-signed-in', 'this is not the admin token');
  };
}

function signInRoutes(sessions: Sessions, checkToken: TokenCheck): Router {
  const router = Router();
  const sameOrigin = requireSameOrigin({ forms: true });
  router.use(['/sign-in', '/sign-out'], pageHeaders);

  router.get('/sign-in', (request, response) => {
    sendSignInPage(response, { next: localPath(request.query['next']) });
  });
  router.post(
    '/sign-in',
    sameOrigin,
    express.urlencoded({ extended: false, limit: FORM_BYTES_MAX }),
    express.json({ limit: FORM_BYTES_MAX }),
    async (request, response) => {
      const { token, next } = readSignIn(request);
      const failure = await checkToken(token, request, response).then(
        () => undefined,
        (error: unknown) => failureToShow(error, request),
      );
      if (failure !== undefined) {
        sendSignInPage(response, { next, failure });
        return;
      }
      response.cookie(SESSION_COOKIE, sessions.issue(), {
        ...cookieOptions(request),
        maxAge: SESSION_MS,
      });
      if (isForm(request)) response.redirect(303, next);
      else response.status(200).json({ next });
    },
  );
  router.post('/sign-out', sameOrigin, (request, response) => {
    response.clearCookie(SESSION_COOKIE, cookieOptions(request)).redirect(303, '/sign-in');
  });
  return router;
}

function readSignIn(request: Request): { readonly token: string; readonly next: string } {
  const { token, next } = (request.body ?? {}) as Record<string, unknown>;
  return { token: String(token ?? ''), next: localPath(next) };
}

/** People get the page again; for programs the error becomes the answer. */
function failureToShow(error: unknown, request: Request): CrossdockError {
  if (error instanceof CrossdockError && isForm(request)) return error;
  throw error;
}

function sendSignInPage(
  response: Response,
  page: { readonly next: string; readonly failure?: CrossdockError },
): void {
  sendPage(response, {
    title: 'Sign in',
    status: statusOf(page.failure),
    content: html`${page.failure === undefined ? undefined : html`<p class="error">${page.failure.message}</p>`}
<p>The admin token is <code>CROSSDOCK_ADMIN_TOKEN</code>, or stands in the file
<code>.crossdock/admin-token</code> of the hub’s folder.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="next" value="${page.next}">
<input type="password" name="token" autocomplete="current-password" aria-label="Admin token" required autofocus>
<button>Sign in</button>
</form>
<script src="/assets/sign-in.js" defer></script>`,
  });
}

function statusOf(failure: CrossdockError | undefined): number {
  if (failure === undefined) return 200;
  return failure.code === 'too-many-tries' ? 429 : 401;
}

function isForm(request: Request): boolean {
  return request.is('application/x-www-form-urlencoded') !== false;
}

function cookieOptions(request: Request) {
  // A proxy in front says by this header that the browser's side is TLS. Whoever forges it only
  // makes the browser withhold the cookie.
  const secure = request.secure || request.headers['x-forwarded-proto'] === 'https';
  return { httpOnly: true, sameSite: 'strict', secure, path: '/' } as const;
}

/** Where to go after the sign-in: a path of this hub, never another site. */
export function localPath(value: unknown): string {
  const fallback = '/queues';
  if (typeof value !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return fallback;
  const here = 'http://hub.invalid';
  return URL.canParse(value, here) && new URL(value, here).origin === here ? value : fallback;
}
