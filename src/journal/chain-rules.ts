// What the order of a chain means, in SQL: one place for the claim, the advance and the views. `d`
// is the delivery that asks, `k` its chain's row of order_keys.
//
// A delivery without a version goes by `seq`: behind every earlier open one, and behind every earlier
// dead one that is in the way. One with a version goes when no newer one is there; of older ones it
// waits only for the active one, and for those that have no version. Whoever waits waits for an
// active one or for an earlier one, so that there is no circle.

/** A newer version is open: of equal ones, the later. */
export const newerOpen = `
  SELECT o.id, o.round, o.connector FROM deliveries o
  WHERE o.chain = d.chain AND o.version IS NOT NULL AND o.open
    AND (o.version, o.seq, o.id) > (d.version, d.seq, d.id)
  ORDER BY o.version DESC, o.seq DESC, o.id DESC LIMIT 1`;

/** A newer version was sent, or may have been. Null where either has none. */
export const newerSent = 'k.sent_version > d.version';

const earlier = 'o.chain = d.chain AND (o.seq, o.id) < (d.seq, d.id)';

/** The one that is in front of `d`, with `rank` 4 where it is dead: then nothing open is in front. */
export const inFront = `
  SELECT * FROM (
    (SELECT 1 AS rank, o.id, o.state, o.problem FROM deliveries o
     WHERE o.running = d.chain AND o.id <> d.id LIMIT 1)
    UNION ALL
    (SELECT 2, o.id, o.state, o.problem FROM deliveries o
     WHERE ${earlier} AND o.version IS NULL AND o.open ORDER BY o.seq, o.id LIMIT 1)
    UNION ALL
    (SELECT 3, o.id, o.state, o.problem FROM deliveries o
     WHERE ${earlier} AND d.version IS NULL AND o.version IS NOT NULL AND o.open LIMIT 1)
    UNION ALL
    (SELECT 4, o.id, o.state, o.problem FROM deliveries o
     WHERE ${earlier} AND d.version IS NULL AND d.behind <> 'skip'
       AND o.version IS NULL AND o.blocks AND NOT o.open ORDER BY o.seq, o.id LIMIT 1)
  ) f ORDER BY rank LIMIT 1`;

/** When the chain may be called again; null where it may at any time. */
export const settledAt = "k.sent_at + d.settle_ms * interval '1 millisecond'";
