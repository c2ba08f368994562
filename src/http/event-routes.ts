import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Journal } from '../journal/journal.ts';
import { wantsPage } from './admin.ts';
import { deliveryPage, eventPage } from './event-page.ts';
import { deliveryJson, eventJson, loadDeliveryDetail, loadEventDetail } from './event-view.ts';
import type { Html } from './html.ts';
import { sendPage } from './page.ts';

/** `GET /events/:id` and `GET /deliveries/:id`: JSON, or a page where a browser asks. */
export function eventRoutes(
  journal: Journal,
  guard: readonly RequestHandler<{ id: string }>[],
): Router {
  const router = Router();
  router.get('/events/:id', ...guard, async (request, response) => {
    const detail = await loadEventDetail(journal, request.params.id);
    const { id } = detail.event;
    send(request, response, {
      title: `Event ${id}`,
      page: () => eventPage(detail),
      json: () => eventJson(detail),
    });
  });
  router.get('/deliveries/:id', ...guard, async (request, response) => {
    const detail = await loadDeliveryDetail(journal, request.params.id);
    send(request, response, {
      title: `Delivery ${detail.delivery.id}`,
      page: () => deliveryPage(detail),
      json: () => deliveryJson(detail),
    });
  });
  return router;
}

function send(
  request: Request,
  response: Response,
  answer: { readonly title: string; readonly page: () => Html; readonly json: () => string },
): void {
  response.vary('accept');
  if (wantsPage(request)) {
    sendPage(response, { title: answer.title, content: answer.page() });
    return;
  }
  response
    .set({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    .end(answer.json());
}
