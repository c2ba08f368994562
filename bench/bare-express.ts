// What Express alone does with the same request: raw body, 200, a small JSON answer.

import express from 'express';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post(
  '/webhooks/shop',
  express.raw({ type: () => true, limit: '1mb' }),
  (_request, response) => {
    response.status(200).json({ id: '00000000-0000-7000-8000-000000000000' });
  },
);
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as { port: number }).port });
});
