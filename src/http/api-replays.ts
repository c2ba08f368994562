import { Router } from 'express';
import {
  REPLAY_STATE_DEFAULT,
  type ReplayQuery,
  type ReplayRevision,
} from '../journal/replays-port.ts';
import { parseRate } from '../model/units.ts';
import { checkInput, checkList } from './api-input.ts';
import { type ApiPaths, answer, pathParameter } from './api-paths.ts';
import type { ApiPorts } from './ports.ts';

interface PlanInput {
  readonly query: Partial<ReplayQuery>;
  readonly revision?: ReplayRevision;
  readonly rate?: string;
  readonly reason?: string;
}

export function replayRoutes({ replays, now }: Pick<ApiPorts, 'replays' | 'now'>): Router {
  const router = Router();
  router.get('/replays', async (request, response) => {
    const query = checkList<{ before?: string; limit?: number }>('ReplayList', request.query);
    const found = await replays.list(query);
    const next = found.at(-1)?.id;
    response.json({ replays: found, ...(next === undefined ? {} : { next }) });
  });
  router.post('/replays', async (request, response) => {
    const input = checkInput<PlanInput>('ReplayPlanRequest', request.body);
    const { revision = 'original', reason } = input;
    const rate = input.rate === undefined ? undefined : parseRate(input.rate);
    const plan = await replays.plan({
      query: { ...input.query, state: input.query.state ?? REPLAY_STATE_DEFAULT },
      revision,
      now,
      by: 'api',
      ...(rate === undefined ? {} : { rate }),
      ...(reason === undefined ? {} : { reason }),
    });
    response.json(plan);
  });
  router.get('/replays/:id', async (request, response) => {
    response.json(await replays.show(request.params.id));
  });
  router.get('/replays/:id/progress', async (request, response) => {
    response.json(await replays.watch(request.params.id));
  });
  router.post('/replays/:id/run', async (request, response) => {
    response.json(await replays.run(request.params.id, 'api'));
  });
  router.post('/replays/:id/cancel', async (request, response) => {
    response.json(await replays.cancel(request.params.id, 'api'));
  });
  return router;
}

const id = pathParameter('id', 'Of a replay.');

export const replayPaths: ApiPaths = {
  '/replays': {
    get: answer('ReplayPage', 'Replays, newest first.', { list: 'ReplayList' }),
    post: answer(
      'ReplayPlan',
      'Plans a replay: nothing is delivered by it. Where nothing fits, `nothing` says so.',
      {
        body: 'ReplayPlanRequest',
      },
    ),
  },
  '/replays/{id}': {
    parameters: [id],
    get: answer('ReplayPlan', 'A replay with the first of its list.'),
  },
  '/replays/{id}/progress': {
    parameters: [id],
    get: answer('ReplayProgress', 'How far it has come, and what became of its deliveries.'),
  },
  '/replays/{id}/run': { parameters: [id], post: answer('Replay', 'Runs a plan.') },
  '/replays/{id}/cancel': {
    parameters: [id],
    post: answer('Replay', 'Makes no more, and cancels what waits.'),
  },
};
