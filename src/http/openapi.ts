// The description of `/api/v1`. A test holds it equal to the routes that there are.

import type { JsonObject } from '../model/json.ts';
import { deliveryPaths } from './api-deliveries.ts';
import { lanePaths } from './api-lanes.ts';
import type { ApiPaths } from './api-paths.ts';
import { problemPaths } from './api-problems.ts';
import { quarantinePaths } from './api-quarantine.ts';
import { replayPaths } from './api-replays.ts';
import { inputSchemas, outputSchemas } from './api-schemas.ts';

/** One a router, in the order of `api.ts`. */
const parts: readonly ApiPaths[] = [
  problemPaths,
  replayPaths,
  deliveryPaths,
  lanePaths,
  quarantinePaths,
];

export const openApi: JsonObject = {
  openapi: '3.1.0',
  info: {
    title: 'Crossdock',
    version: '1',
    description: 'What the operations console can do. See docs/api.md.',
  },
  servers: [{ url: '/api/v1' }],
  security: [{ adminToken: [] }],
  paths: {
    ...Object.assign({}, ...parts),
    '/openapi.json': {
      get: {
        summary: 'This document.',
        responses: { '200': { description: 'OpenAPI 3.1.', content: { 'application/json': {} } } },
      },
    },
  },
  components: {
    securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } },
    schemas: { ...inputSchemas, ...outputSchemas },
  },
};
