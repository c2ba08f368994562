import { Router } from 'express';
import type { ProblemQuery } from '../journal/problems-port.ts';
import type { ProblemState } from '../model/problem-fingerprint.ts';
import { checkInput, checkList } from './api-input.ts';
import { type ApiPaths, answer, pathParameter } from './api-paths.ts';
import type { ApiPorts } from './ports.ts';

export function problemRoutes({ problems }: Pick<ApiPorts, 'problems'>): Router {
  const router = Router();
  router.get('/problems', async (request, response) => {
    const query = checkList<ProblemQuery>('ProblemList', request.query);
    response.json({ problems: await problems.list(query) });
  });
  router.get('/problems/:fingerprint', async (request, response) => {
    response.json(await problems.get(request.params.fingerprint));
  });
  router.patch('/problems/:fingerprint', async (request, response) => {
    const { state } = checkInput<{ readonly state: ProblemState }>('ProblemChange', request.body);
    const { fingerprint } = request.params;
    response.json(await problems.change({ fingerprint, state, by: 'api' }));
  });
  return router;
}

const fingerprint = pathParameter('fingerprint', '32 hex digits, or the first 12 or more of them.');

export const problemPaths: ApiPaths = {
  '/problems': {
    get: answer('ProblemPage', 'Problems, those that need somebody first.', {
      list: 'ProblemList',
    }),
  },
  '/problems/{fingerprint}': {
    parameters: [fingerprint],
    get: answer('Problem', 'One problem.'),
    patch: answer('Problem', 'Acknowledges, resolves, ignores or opens it again.', {
      body: 'ProblemChange',
    }),
  },
};
