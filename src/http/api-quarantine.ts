import { Router } from 'express';
import type { Quarantined, QuarantineQuery } from '../journal/quarantine-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { checkInput, checkList } from './api-input.ts';
import { type ApiPaths, answer, pathParameter } from './api-paths.ts';
import type { ApiPorts } from './ports.ts';

interface ReleaseMany extends QuarantineQuery {
  readonly source: string;
  readonly dryRun?: boolean;
  readonly after?: string;
}

export function quarantineRoutes(ports: Pick<ApiPorts, 'quarantine' | 'release'>): Router {
  const { quarantine, release } = ports;
  const router = Router();
  router.get('/quarantine', async (request, response) => {
    const query = checkList<QuarantineQuery & { before?: string; limit?: number }>(
      'QuarantineList',
      request.query,
    );
    const requests = await quarantine.list(query);
    const next = requests.at(-1)?.id;
    response.json({ requests, ...(next === undefined ? {} : { next }) });
  });
  router.post('/quarantine/release', async (request, response) => {
    const { dryRun, after, ...query } = checkInput<ReleaseMany>('ReleaseMany', request.body);
    response.json(await release.many(query, { isTrial: dryRun === true, after }));
  });
  router.post('/quarantine/drop', async (request, response) => {
    const query = checkInput<QuarantineQuery>('QuarantineDrop', request.body);
    response.json({ dropped: await quarantine.drop(query) });
  });
  router.get('/quarantine/:id', async (request, response) => {
    const found = await quarantine.get(request.params.id);
    if (found === undefined) throw notThere(request.params.id);
    response.json(shownWhole(found));
  });
  router.delete('/quarantine/:id', async (request, response) => {
    const dropped = await quarantine.dropOne(request.params.id);
    if (dropped === 0) throw notThere(request.params.id);
    response.json({ dropped });
  });
  router.post('/quarantine/:id/release', async (request, response) => {
    const { dryRun } = checkInput<{ readonly dryRun?: boolean }>('ReleaseOne', request.body ?? {});
    response.json(await release.one(request.params.id, { isTrial: dryRun === true }));
  });
  return router;
}

function notThere(id: string): CrossdockError {
  return new CrossdockError(
    'not-found',
    `there is no request ${id.slice(0, 64)} in the quarantine`,
  );
}

/** The body as text where it is text, and in base64 always: the very bytes. */
function shownWhole({ body, ...rest }: Quarantined): object {
  const text = body.toString();
  const isText = Buffer.from(text).equals(body);
  return { ...rest, ...(isText ? { body: text } : {}), bodyBase64: body.toString('base64') };
}

const id = pathParameter('id', 'The id of a request in the quarantine.');

export const quarantinePaths: ApiPaths = {
  '/quarantine': {
    get: answer('QuarantinePage', 'Requests that failed verification, newest first.', {
      list: 'QuarantineList',
    }),
  },
  '/quarantine/release': {
    post: answer(
      'ReleaseReport',
      'Verifies those of a connector again and lets in what passes; or tells what would.',
      { body: 'ReleaseMany' },
    ),
  },
  '/quarantine/drop': {
    post: answer('QuarantineDropped', 'Deletes those of a connector.', { body: 'QuarantineDrop' }),
  },
  '/quarantine/{id}': {
    parameters: [id],
    get: answer('QuarantinedWhole', 'One with its headers and its body.'),
    delete: answer('QuarantineDropped', 'Deletes one.'),
  },
  '/quarantine/{id}/release': {
    parameters: [id],
    post: answer('Released', 'Verifies one again and lets it in where it passes.', {
      body: 'ReleaseOne',
    }),
  },
};
