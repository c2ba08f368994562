// The routes of the hub, in the order in which they are tried, and who may use each.

import express, { type Express, type Router as ExpressRouter, Router } from 'express';
import { CrossdockError } from '../model/errors.ts';
import { createAdmin } from './admin.ts';
import { apiRoutes } from './api.ts';
import { createClientAddress } from './client-address.ts';
import { createAnswerError, errorHandler } from './errors.ts';
import { eventRoutes } from './event-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { html } from './html.ts';
import { intakeRoute } from './intake-route.ts';
import { createLaneGauges } from './lane-gauges.ts';
import { boardHeaders, pageAssets, pageHeaders, sendPage } from './page.ts';
import type { HttpPorts } from './ports.ts';
import { questionRoute } from './question-route.ts';
import { requireSameOrigin } from './same-origin.ts';

export function createApp(ports: HttpPorts): Express {
  const app = express();
  // Also keeps stacks out of answers, whatever NODE_ENV says.
  app.set('env', 'production');
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  // Who tries tokens is told by these proxies too.
  app.set('trust proxy', [...(ports.trustedProxies ?? [])]);

  const answerError = createAnswerError(ports.log);
  const { intake, heldBodyBytesMax, trustedProxies } = ports;
  if (intake !== undefined) {
    const { meter } = ports.metrics;
    const clientOf = createClientAddress(trustedProxies ?? []);
    const receiving = { intake, meter, answerError, clientOf };
    const accept = intakeRoute({ ...receiving, heldBodyBytesMax });
    const answer = questionRoute(receiving);
    app.route('/webhooks/:connector').post(accept).put(accept).all(answer);
  }
  app.use(healthRoutes(ports), metricsRoute(ports), pageAssets(), landingRoute());
  app.use(adminRoutes(ports));
  app.use((request) => {
    throw new CrossdockError('not-found', `there is nothing at ${request.path.slice(0, 200)}`);
  });
  app.use(errorHandler(answerError));
  return app;
}

/** Everything that needs the sign-in, and the sign-in itself. */
function adminRoutes(ports: HttpPorts): ExpressRouter {
  const router = Router();
  const admin = createAdmin(ports.adminToken);
  router.use(admin.routes);
  const guard = [admin.require, requireSameOrigin({})];
  router.use(eventRoutes(ports.journal, [...guard, pageHeaders]));
  if (ports.api !== undefined) router.use(apiRoutes(ports.api, guard));
  if (ports.board !== undefined) router.use('/queues', ...guard, boardHeaders, ports.board);
  return router;
}

function metricsRoute(ports: HttpPorts): ExpressRouter {
  const { registry } = ports.metrics;
  const gauges = createLaneGauges({ ...ports, registry });
  const router = Router();
  router.get('/metrics', async (_request, response) => {
    await gauges.refresh();
    response.set('content-type', registry.contentType).end(await registry.metrics());
  });
  return router;
}

function landingRoute(): ExpressRouter {
  const router = Router();
  router.get('/', pageHeaders, (_request, response) => {
    sendPage(response, {
      title: 'This is a Crossdock hub',
      content: html`<ul>
<li><a href="/queues">Queues</a>: every lane on Bull Board (admin sign-in)</li>
<li><code>/events/&lt;id&gt;</code>: what became of an event (admin sign-in)</li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>: alive, ready</li>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
</ul>
<p>Webhooks go to <code>POST /webhooks/&lt;connector&gt;</code>. The manual is in the folder
<code>docs/</code> of the package; it starts with <code>getting-started.md</code>.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`,
    });
  });
  return router;
}
