// New deliveries of old events: the rows, and the part of a statement that makes them. One for a
// replay by hand and one for a chunk of a replay by query.

import { newId } from '../model/ids.ts';
import { chainRow } from './append-events.ts';
import type { Replayed } from './journal.ts';
import { storableText } from './storable-text.ts';

export const replayRecordset = `(id uuid, original uuid, event_id uuid, flow text, connector text,
  operation text, revision text, routed boolean, chain text, version numeric, behind text,
  settle_ms int, tenant text, reason text)`;

/** The same work for the same target: the delivery itself, and every replay of it. */
const sameWork = (o: string, of: string): string =>
  `${o}.event_id = ${of}.event_id AND ${o}.flow = ${of}.flow`;

/**
 * Needs `given`, a `replayRecordset`, and SQL for the run and for an edited body. What was not routed
 * anew keeps its original's key in the order. Where the original, or an earlier replay of it, is dead
 * and in the way, the new one takes that place, in front of what waits behind it; every other one
 * comes last. Where the original may have worked, so may have its replay: the same operation with
 * the same body, by whatever revision.
 */
export function insertReplays(parts: {
  readonly given: string;
  readonly run: string;
  readonly body: string;
}): string {
  return `
      INSERT INTO deliveries (id, event_id, flow, connector, operation, revision, replay_of,
                              replay_run, chain, seq, version, behind, settle_ms, tenant, body,
                              ambiguous)
      SELECT r.id, r.event_id, r.flow, r.connector, r.operation, r.revision, r.original,
             ${parts.run}, p.chain,
             CASE WHEN p.chain IS NULL THEN NULL
                  ELSE coalesce((SELECT b.seq FROM deliveries b
                                 WHERE ${sameWork('b', 'r')} AND b.blocks AND b.chain = p.chain
                                 ORDER BY b.seq, b.id LIMIT 1),
                                nextval('delivery_seq')) END,
             p.version, p.behind, p.settle_ms, p.tenant, coalesce(${parts.body}, o.body),
             coalesce((o.ambiguous OR o.strikes > 0) AND (${parts.body}) IS NULL
                      AND (o.connector, o.operation) = (r.connector, r.operation), false)
      FROM ${parts.given} LEFT JOIN deliveries o ON o.id = r.original
      CROSS JOIN LATERAL (
        SELECT CASE WHEN r.routed THEN r.chain ELSE o.chain END AS chain,
               CASE WHEN r.routed THEN r.version ELSE o.version END AS version,
               CASE WHEN r.routed THEN r.behind ELSE o.behind END AS behind,
               CASE WHEN r.routed THEN r.settle_ms ELSE o.settle_ms END AS settle_ms,
               CASE WHEN r.routed THEN r.tenant ELSE o.tenant END AS tenant
      ) p
      ORDER BY r.id
      RETURNING *`;
}

/** Whichever was in the way of its chain is so no more: the replay is. */
export function freeReplaced(given: string): string {
  return `
      UPDATE deliveries o SET blocks = false FROM ${given} WHERE ${sameWork('o', 'r')} AND o.blocks`;
}

/** The same where a person tries a dead one again that others of its event were replayed for. */
export function freeSamePlace(reopened: string): string {
  return `
      UPDATE deliveries o SET blocks = false FROM ${reopened} r
      WHERE ${sameWork('o', 'r')} AND o.blocks AND o.chain = r.chain AND o.seq >= r.seq
        AND o.id <> r.id`;
}

/**
 * Where a replay is cancelled, the dead one whose place it took is in the way again: of several that
 * died in that place, the last.
 */
export function blockAgain(cancelled: string): string {
  return `
      UPDATE deliveries o SET blocks = true FROM ${cancelled} c
      WHERE o.id = (SELECT b.id FROM deliveries b
                    WHERE ${sameWork('b', 'c')} AND b.chain = c.chain AND b.seq = c.seq
                      AND b.dead AND b.behind <> 'skip' AND b.id <> c.id
                    ORDER BY b.id DESC LIMIT 1)`;
}

/** Their ids are in the order of `of`. */
export function replayRows(of: readonly Replayed[], note = ''): readonly object[] {
  return of.map(({ id, eventId, flow, connector, operation, revision, routed }) => {
    const { order, tenant } = routed ?? {};
    const what = id === undefined ? `event ${eventId}` : id;
    const by = routed === undefined ? '' : ', by the current revision';
    return {
      id: newId(),
      original: id ?? null,
      event_id: eventId,
      flow,
      connector,
      operation,
      revision,
      routed: routed !== undefined,
      ...(order === undefined ? {} : chainRow(flow, order)),
      tenant: tenant === undefined ? null : storableText(tenant),
      reason: `replay of ${what}${by}${note}`,
    };
  });
}
