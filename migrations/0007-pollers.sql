-- additive
-- How far each poller and each schedule has come. One process at a time has the lease; a cursor is
-- written only by whoever took it last.
CREATE TABLE IF NOT EXISTS pollers (
  source text PRIMARY KEY,
  cursor text,
  fence bigint NOT NULL DEFAULT 0,
  leased_until timestamptz,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  polled_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  error text
);
