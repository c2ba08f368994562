// `/api/v1`: everything an operator can do, for programs. Behind the sign-in; `app.ts` sees to that.

import { json, type RequestHandler, Router } from 'express';
import { deliveryRoutes } from './api-deliveries.ts';
import { laneRoutes } from './api-lanes.ts';
import { problemRoutes } from './api-problems.ts';
import { quarantineRoutes } from './api-quarantine.ts';
import { replayRoutes } from './api-replays.ts';
import { openApi } from './openapi.ts';
import type { ApiPorts } from './ports.ts';

const BODY_BYTES_MAX = 64 * 1_024;

/** One line a router; `openapi.ts` has a line for each as well. */
const parts: readonly ((ports: ApiPorts) => Router)[] = [
  problemRoutes,
  replayRoutes,
  deliveryRoutes,
  laneRoutes,
  quarantineRoutes,
];

/** Each of them below `/api/v1`. */
export function apiRouters(ports: ApiPorts): readonly Router[] {
  const document = Router();
  document.get('/openapi.json', (_request, response) => {
    response.json(openApi);
  });
  return [document, ...parts.map((routesOf) => routesOf(ports))];
}

export function apiRoutes(ports: ApiPorts, guard: readonly RequestHandler[]): Router {
  const router = Router();
  const readSmall = json({ limit: BODY_BYTES_MAX });
  router.use('/api/v1', ...guard, noStore, readUnlessReplay(readSmall), ...apiRouters(ports));
  return router;
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set('cache-control', 'no-store');
  next();
};

/** A replay of one may carry an edited body, and its route reads more than the others. */
function readUnlessReplay(read: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (/^\/(deliveries|events)\/[^/]+\/replay$/.test(request.path)) next();
    else read(request, response, next);
  };
}
