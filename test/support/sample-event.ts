import { createHash } from 'node:crypto';
import type { NewDelivery, NewEvent } from '../../src/journal/journal.ts';
import { newId } from '../../src/model/ids.ts';

/** A new event with one delivery, or what `fields` says. */
export function sampleEvent(fields: Partial<NewEvent> = {}): NewEvent {
  const body = fields.body ?? Buffer.from('{"id":1}');
  return {
    id: newId(),
    source: 'shop',
    topic: 'orders/create',
    dedupeKey: newId(),
    body,
    headers: { 'content-type': 'application/json' },
    sha256: createHash('sha256').update(body).digest('hex'),
    deliveries: [sampleDelivery()],
    ...fields,
  };
}

export function sampleDelivery(fields: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: newId(),
    flow: 'order-to-erp',
    connector: 'erp',
    operation: 'create',
    revision: 'r1',
    ...fields,
  };
}
