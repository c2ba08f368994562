// How deaths are counted for their problems: the same for the record, which does it in its own
// statement, and for deaths that are counted afterwards.

import type { ProblemSighting } from '../model/problem-fingerprint.ts';
import { storableText } from './storable-text.ts';

export const problemRecordset =
  '(fingerprint text, class text, code text, connector text, message text)';

/**
 * Needs the parts `deaths` (fingerprint, count, sample) and `seen` (a `problemRecordset`). Sorted,
 * so that two batches cannot deadlock. A resolved problem that comes again opens anew; the others
 * keep their state. It opened in this statement where both of its times are this statement's.
 */
export const upsertProblems = `
      INSERT INTO problems AS p (fingerprint, class, code, connector, message, count,
                                 sample_delivery)
      SELECT s.fingerprint, s.class, s.code, s.connector, s.message, d.count, d.sample
      FROM seen s JOIN deaths d ON d.fingerprint = s.fingerprint
      ORDER BY s.fingerprint
      ON CONFLICT (fingerprint) DO UPDATE
      SET count = p.count + excluded.count, last_at = statement_timestamp(),
          sample_delivery = excluded.sample_delivery, code = excluded.code,
          state = CASE p.state WHEN 'resolved' THEN 'open' ELSE p.state END,
          announced = p.announced AND p.state <> 'resolved',
          opened_at = CASE p.state WHEN 'resolved' THEN statement_timestamp() ELSE p.opened_at END,
          changed_at = CASE p.state WHEN 'resolved' THEN statement_timestamp()
                                    ELSE p.changed_at END,
          changed_by = CASE p.state WHEN 'resolved' THEN 'hub' ELSE p.changed_by END
      RETURNING p.sample_delivery AS sample,
                p.state = 'open' AND p.opened_at = p.last_at AS opened`;

/** One row a problem. */
export function problemRows(sightings: readonly ProblemSighting[]): readonly object[] {
  const rows = new Map<string, object>();
  for (const { fingerprint, class: kind, code, connector, message } of sightings) {
    const row = { fingerprint, class: kind, code, connector, message: storableText(message) };
    if (!rows.has(fingerprint)) rows.set(fingerprint, row);
  }
  return [...rows.values()];
}
