// The frame of the hub's own small pages, and what the browser may do on them. They are rendered
// here and work without scripts; the sign-in page alone has one, for the link with the token.

import { type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { type Html, html } from './html.ts';

const common = {
  frameguard: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
  // Other names below this host are not ours to promise for.
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
} as const;

/** For the hub's own pages. */
export const pageHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

/**
 * For Bull Board. Its configuration is inline JSON, which is data and needs no permission; its
 * styles are partly inline. The font that it asks of another site is refused: no page of the hub
 * tells anyone else that it is being read.
 */
export const boardHeaders: RequestHandler = helmet({
  ...common,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      formAction: ["'self'"],
      baseUri: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
});

export function sendPage(
  response: Response,
  page: { readonly title: string; readonly status?: number; readonly content: Html },
): void {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${page.title} · Crossdock</title>
<link rel="stylesheet" href="/assets/page.css">
</head>
<body>
<header><a href="/">Crossdock</a> <a href="/queues">Queues</a></header>
<main>
<h1>${page.title}</h1>
${page.content}
</main>
</body>
</html>
`;
  response
    .status(page.status ?? 200)
    .set({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    .end(whole.text);
}

export function pageAssets(): Router {
  const router = Router();
  router.get('/assets/page.css', (_request, response) => {
    response.type('css').set('cache-control', 'no-cache').end(stylesheet);
  });
  router.get('/assets/sign-in.js', (_request, response) => {
    response.type('js').set('cache-control', 'no-cache').end(signInScript);
  });
  return router;
}

/** Takes the token from `/sign-in#<token>`, a part of the address that no server is sent. */
const signInScript = `const token = decodeURIComponent(location.hash.slice(1));
if (token !== '') {
  history.replaceState(null, '', location.pathname + location.search);
  const form = document.querySelector('form');
  form.elements.token.value = token;
  form.submit();
}
`;

const stylesheet = `:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 0 1rem 3rem; }
header { display: flex; gap: 1.5rem; padding: 1rem 0; border-bottom: 1px solid #8884; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin-bottom: 0.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; overflow-wrap: anywhere; }
tr + tr > * { border-top: 1px solid #8883; }
pre { background: #8881; padding: 0.8rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
input { font: inherit; padding: 0.3rem; width: 22rem; max-width: 100%; }
button { font: inherit; padding: 0.3rem 0.8rem; }
.state { font-weight: 600; }
.error { color: #c33; }
`;
