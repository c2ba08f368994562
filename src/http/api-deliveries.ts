import { json, Router } from 'express';
import type { ReplayOptions } from '../delivery/controls.ts';
import { loadStory } from '../delivery/load-story.ts';
import { asShown, findShutGates } from '../delivery/shown-state.ts';
import type { DeliveryQuery, DeliveryView } from '../journal/journal.ts';
import type { ReplayRevision } from '../journal/replays-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { isId } from '../model/ids.ts';
import { checkInput, checkList } from './api-input.ts';
import { type ApiPaths, answer, pathParameter } from './api-paths.ts';
import type { ApiPorts } from './ports.ts';

/** An edited body of 10 MiB, as the text of a JSON string. */
const REPLAY_BYTES_MAX = 16 * 1_024 * 1_024;

interface ReplayInput {
  readonly revision?: ReplayRevision;
  readonly body?: string;
  readonly bodyBase64?: string;
}

type Ports = Pick<ApiPorts, 'journal' | 'controls' | 'now'>;

/** Has its own reading of bodies, which may be larger here. */
export function deliveryRoutes(ports: Ports): Router {
  const { journal, controls } = ports;
  const router = Router();
  router.get('/deliveries', async (request, response) => {
    const query = checkList<DeliveryQuery>('DeliveryList', request.query);
    const paused = await findShutGates(journal);
    const found = (await journal.listDeliveries(query)).map((one) => asShown(one, paused));
    const next = found.at(-1)?.id;
    response.json({ deliveries: found, ...(next === undefined ? {} : { next }) });
  });
  router.get('/deliveries/:id', async (request, response) => {
    const found = await existing(ports, request.params.id);
    const told = await loadStory(journal, found, await findShutGates(journal));
    const { attempts, changes, story } = told;
    response.json({ ...told.shown, history: { attempts, changes }, story });
  });
  router.post('/deliveries/:id/retry', async (request, response) => {
    await controls.retry(known(request.params.id), 'api');
    response.json(await shown(ports, request.params.id));
  });
  router.post('/deliveries/:id/cancel', async (request, response) => {
    await controls.cancel(known(request.params.id), 'api');
    response.json(await shown(ports, request.params.id));
  });
  const readLarge = json({ limit: REPLAY_BYTES_MAX });
  router.post('/deliveries/:id/replay', readLarge, async (request, response) => {
    const options = optionsOf(ports, request.body);
    response.json({
      made: await controls.replayDelivery(known(request.params.id), 'api', options),
    });
  });
  router.post('/events/:id/replay', readLarge, async (request, response) => {
    const options = optionsOf(ports, request.body);
    response.json({ made: await controls.replayEvent(known(request.params.id), 'api', options) });
  });
  return router;
}

function optionsOf({ now }: Ports, input: unknown): ReplayOptions {
  const { revision, body, bodyBase64 } = checkInput<ReplayInput>('ReplayOne', input ?? {});
  const text = bodyBase64 === undefined ? body : Buffer.from(bodyBase64, 'base64');
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return { now, anew: revision === 'current', ...(bytes === undefined ? {} : { body: bytes }) };
}

/** Rejects `not-found` for what is no id: it names nothing. */
function known(id: string): string {
  if (isId(id)) return id;
  throw new CrossdockError('not-found', 'this is no id');
}

async function shown(ports: Ports, id: string): Promise<DeliveryView> {
  return asShown(await existing(ports, id), await findShutGates(ports.journal));
}

async function existing({ journal }: Ports, id: string): Promise<DeliveryView> {
  const delivery = await journal.getDelivery(id);
  if (delivery === undefined) throw new CrossdockError('not-found', 'there is no such delivery');
  return delivery;
}

const id = pathParameter('id', 'Of a delivery.');
const eventId = pathParameter('id', 'Of an event.');

export const deliveryPaths: ApiPaths = {
  '/deliveries': {
    get: answer('DeliveryPage', 'Deliveries, newest first.', { list: 'DeliveryList' }),
  },
  '/deliveries/{id}': {
    parameters: [id],
    get: answer(
      'DeliveryStory',
      'One delivery with its attempts and changes, and its story in plain words.',
    ),
  },
  '/deliveries/{id}/retry': {
    parameters: [id],
    post: answer(
      'Delivery',
      'Tries a dead or cancelled one again, with a fresh count of attempts.',
    ),
  },
  '/deliveries/{id}/cancel': {
    parameters: [id],
    post: answer('Delivery', 'Takes one that waits out of the way for good.'),
  },
  '/deliveries/{id}/replay': {
    parameters: [id],
    post: answer('Made', 'Makes a new delivery of the same event and flow.', { body: 'ReplayOne' }),
  },
  '/events/{id}/replay': {
    parameters: [eventId],
    post: answer('Made', 'The same for all that the event first started, or would start today.', {
      body: 'ReplayOne',
    }),
  },
};
