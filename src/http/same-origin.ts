import type { Request, RequestHandler } from 'express';
import { CrossdockError } from '../model/errors.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what another site could make a signed-in browser send: an unsafe request must say that it
 * comes from this origin, and its body must be JSON, which a plain form cannot send.
 *
 * A request that carries a token and no cookie was not made by a browser on someone's behalf.
 */
export function requireSameOrigin(options: {
  /** Also takes a form's body, for the sign-in page. @default false */
  readonly forms?: boolean;
}): RequestHandler {
  const types = ['application/json', ...(options.forms === true ? [FORM_TYPE] : [])];
  return (request, _response, next) => {
    if (safeMethods.has(request.method)) return next();
    const { authorization, cookie } = request.headers;
    const byToken = authorization !== undefined && cookie === undefined;
    if (!byToken && !isSameOrigin(request)) {
      throw new CrossdockError('cross-site-request', 'this must be sent from the hub’s own pages');
    }
    if (hasBody(request) && request.is(types) === false) {
      throw new CrossdockError('cross-site-request', 'the body must be application/json');
    }
    next();
  };
}

/** Browsers send `Content-Length: 0` with a PUT or POST that has none. */
function hasBody(request: Request): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || Number(length ?? 0) > 0;
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Sec-Fetch-Site where the browser sends it (https://w3c.github.io/webappsec-fetch-metadata/). */
function isSameOrigin(request: Request): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = request.headers;
  return (
    origin !== undefined &&
    host !== undefined &&
    URL.canParse(origin) &&
    new URL(origin).host === host.toLowerCase()
  );
}
