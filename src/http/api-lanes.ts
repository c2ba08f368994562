import { Router } from 'express';
import { describeLanes } from '../delivery/lane-status.ts';
import { requirePausable } from '../delivery/pausable.ts';
import { type PauseTarget, pauseScopes } from '../journal/gates-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { checkInput } from './api-input.ts';
import { type ApiPaths, answer, pathParameter } from './api-paths.ts';
import type { ApiPorts } from './ports.ts';

/** Who the journal says did it. */
const BY = 'api';

/** How the lanes are, and what holds them. */
export function laneRoutes(
  ports: Pick<ApiPorts, 'journal' | 'lanes' | 'controls' | 'laneRules' | 'pausable'>,
): Router {
  const { journal, controls, pausable } = ports;
  const router = Router();
  router.get('/lanes', async (_request, response) => {
    response.json({ lanes: await describeLanes({ ...ports, rules: ports.laneRules }) });
  });
  router.get('/pauses', async (_request, response) => {
    response.json({ pauses: await journal.listPauses() });
  });
  router.put('/pauses/:scope/:name', async (request, response) => {
    const target = targetOf(request.params);
    requirePausable(target, pausable);
    const body = checkInput<{ readonly reason?: string }>('PauseRequest', request.body ?? {});
    const changed = await controls.pause(target, { by: BY, ...body });
    response.json({ ...target, paused: true, changed });
  });
  router.delete('/pauses/:scope/:name', async (request, response) => {
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

export const lanePaths: ApiPaths = {
  '/lanes': { get: answer('LanePage', 'Every lane: how it is, and what holds it.') },
  '/pauses': { get: answer('PausePage', 'Every pause, oldest first.') },
  '/pauses/{scope}/{name}': {
    parameters: [
      pathParameter('scope', `One of ${pauseScopes.join(', ')}.`),
      pathParameter('name', 'The id of the connector or flow, or `<connector>.<operation>`.'),
    ],
    put: answer('PauseChange', 'Holds it until it is resumed, over restarts too.', {
      body: 'PauseRequest',
    }),
    delete: answer('PauseChange', 'Lets it go on; of a connector also ends its breaker and rest.'),
  },
};
