-- additive
-- Why a body cannot be read, in words; null where it can, or where nobody has looked.
ALTER TABLE events ADD COLUMN IF NOT EXISTS unreadable text;

-- What came under the id of an event with another body than its own: each body once, a few per event.
CREATE TABLE IF NOT EXISTS event_conflicts (
  event_id uuid NOT NULL,
  sha256 text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- of the whole body; `body` holds its beginning where it is very long
  bytes int NOT NULL,
  body bytea NOT NULL,
  -- json, not jsonb: kept as written
  headers json NOT NULL,
  PRIMARY KEY (event_id, sha256)
);
