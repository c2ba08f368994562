// The hub's own HTTP API, as an operator's program uses it.

import { adminToken } from '../test/support/hub-process.ts';
import type { Rig } from './rig.ts';

const ANSWER_MS = 60_000;

export type Answer = Readonly<Record<string, unknown>>;

/** Asks the first process that takes webhooks; rejects with what it says where it refuses. */
export async function askHub(
  rig: Rig,
  request: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const [method = 'GET', path = '/'] = request.split(' ');
  const response = await fetch(`${rig.of('intake')[0]?.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(ANSWER_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new Error(`${request} was answered ${response.status}: ${text}`);
}
