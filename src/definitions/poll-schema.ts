import type { JsonObject } from '../model/json.ts';
import { durationPattern } from './patterns.ts';
import { listPathSchema } from './place-schema.ts';

const jsonPath: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  description: 'A path in the JSON.',
  examples: ['updated_at'],
};

export const pollSchema: JsonObject = {
  type: 'object',
  description: 'Events that are fetched, of a system that sends none by itself.',
  properties: {
    operation: {
      type: 'string',
      description: 'The operation of this connector that lists what is new.',
      examples: ['listOrders'],
    },
    every: {
      type: 'string',
      pattern: durationPattern,
      default: '5m',
      description: 'How often, from 10s to 30d.',
      examples: ['5m'],
    },
    items: {
      ...listPathSchema,
      default: '[]',
      description: 'The list in the answer whose every element is an event.',
    },
    cursor: {
      type: 'object',
      description: 'How far it has come: the largest value of this field so far.',
      properties: {
        json: jsonPath,
        unit: {
          type: 'string',
          enum: ['iso', 's', 'ms', 'number', 'text'],
          default: 'iso',
          description: 'What the value is.',
        },
      },
      required: ['json'],
      additionalProperties: false,
    },
    overlap: {
      type: 'string',
      pattern: durationPattern,
      default: '5m',
      description: 'How far each turn begins before the end of the last one, for times.',
      examples: ['5m'],
    },
    from: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      default: 'now',
      description: 'Where the first turn begins: now, start, or a value of the cursor.',
      examples: ['2026-01-01T00:00:00Z'],
    },
    next: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Where the answer names the next page; or "count" for pages 1, 2, 3 …',
      examples: ['meta.next_page', 'count'],
    },
    pagesMax: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000,
      default: 50,
      description: 'Pages of one turn; a turn with more fails and says so.',
    },
  },
  required: ['operation'],
  additionalProperties: false,
};

export const schedulesSchema: JsonObject = {
  type: 'array',
  minItems: 1,
  maxItems: 50,
  description: 'Events that come by the clock.',
  items: {
    type: 'object',
    properties: {
      cron: {
        type: 'string',
        minLength: 1,
        maxLength: 100,
        description: 'Minute, hour, day of month, month, day of week.',
        examples: ['0 6 * * 1-5'],
      },
      timezone: {
        type: 'string',
        minLength: 1,
        maxLength: 60,
        default: 'UTC',
        description: 'Of the tz database, such as Europe/Berlin.',
        examples: ['Europe/Berlin'],
      },
      topic: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'The topic of the event.',
      },
      body: { type: 'object', description: 'More fields of the event, beside scheduledAt.' },
    },
    required: ['cron', 'topic'],
    additionalProperties: false,
  },
};
