// BullMQ and ioredis, by `require`: `import` would first search each of their 300 files for the
// names that they export, and a start would take a fifth of a second longer.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const bullmq = require('bullmq') as typeof import('bullmq');
export const ioredis = require('ioredis') as typeof import('ioredis');
