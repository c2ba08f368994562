// The lanes over HTTP: how they are, and what holds them. Mounted behind the sign-in and the
// same-origin check.

import express, { Router } from 'express';
import type { Controls } from '../delivery/controls.ts';
import { describeLanes, type LaneRules } from '../delivery/lane-status.ts';
import { type Pausable, requirePausable } from '../delivery/pausable.ts';
import { type PauseTarget, pauseScopes } from '../journal/gates-port.ts';
import type { Journal } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Lanes } from '../queue/lanes.ts';

export interface LaneApiPorts {
  readonly journal: Pick<Journal, 'listShutLanes' | 'listPauses' | 'summarizeLanes'>;
  readonly lanes: Pick<Lanes, 'count'>;
  readonly controls: Pick<Controls, 'pause' | 'resume'>;
  /** Of each connector that has a lane. */
  readonly laneRules: ReadonlyMap<string, LaneRules>;
  readonly pausable: Pausable;
}

const BODY_BYTES_MAX = 4_096;
const REASON_LENGTH_MAX = 500;
/** Who the journal says did it. */
const BY = 'api';

/** `GET /lanes`, `GET /pauses`, `PUT` and `DELETE /pauses/<scope>/<name>`. */
export function laneRoutes(ports: LaneApiPorts): Router {
  const { journal, controls, pausable } = ports;
  const router = Router();
  router.get('/lanes', async (_request, response) => {
    const lanes = await describeLanes({ ...ports, rules: ports.laneRules });
    response.set('cache-control', 'no-store').json({ lanes });
  });
  router.get('/pauses', async (_request, response) => {
    response.set('cache-control', 'no-store').json({ pauses: await journal.listPauses() });
  });
  router
    .route('/pauses/:scope/:name')
    .put(express.json({ limit: BODY_BYTES_MAX }), async (request, response) => {
      const target = targetOf(request.params);
      requirePausable(target, pausable);
      const reason = reasonOf(request.body);
      const changed = await controls.pause(target, {
        by: BY,
        ...(reason === undefined ? {} : { reason }),
      });
      response.json({ ...target, paused: true, changed });
    })
    .delete(async (request, response) => {
      const target = targetOf(request.params);
      const changed = await controls.resume(target, BY);
      // What no file has any more can still be resumed.
      if (!changed) requirePausable(target, pausable);
      response.json({ ...target, paused: false, changed });
    });
  return router;
}

function targetOf(params: { readonly scope: string; readonly name: string }): PauseTarget {
  const scope = pauseScopes.find((one) => one === params.scope);
  if (scope !== undefined) return { scope, name: params.name };
  throw new CrossdockError('not-found', `only ${pauseScopes.join(', ')} can be paused`);
}

function reasonOf(body: unknown): string | undefined {
  const { reason } = (body ?? {}) as { readonly reason?: unknown };
  if (reason === undefined) return undefined;
  if (typeof reason === 'string' && reason.length <= REASON_LENGTH_MAX) return reason;
  const message = `"reason" must be a text of at most ${REASON_LENGTH_MAX} characters`;
  throw new CrossdockError('request-malformed', message);
}
