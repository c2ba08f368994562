-- additive
-- Requests that failed verification: kept apart for people, never mapped, and bounded.
CREATE TABLE IF NOT EXISTS quarantine (
  -- a UUID version 7, made when the request was refused
  id uuid PRIMARY KEY,
  source text NOT NULL,
  -- why, as a word and in words
  code text NOT NULL,
  reason text NOT NULL,
  received_at timestamptz NOT NULL,
  method text NOT NULL,
  target text NOT NULL,
  headers json NOT NULL,
  -- names of headers that came more than once
  repeated text[] NOT NULL DEFAULT '{}',
  -- what is hidden: its value is `sha256:` and 64 hex digits; `header x-token`, `query token`
  hidden text[] NOT NULL DEFAULT '{}',
  -- as sent, but for what is hidden in it
  body bytea NOT NULL,
  -- of the body as it was sent
  bytes integer NOT NULL,
  sha256 text NOT NULL,
  address text,
  -- what counts against the bounds: body, headers and target
  weight integer NOT NULL,
  released_at timestamptz,
  -- the events that it became
  event_ids uuid[] NOT NULL DEFAULT '{}'
-- What is deleted all the time must not grow the file.
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- One connector's, newest first, with what the bounds are counted by; and the same for all.
CREATE INDEX IF NOT EXISTS quarantine_of_source ON quarantine (source, id DESC) INCLUDE (weight);
CREATE INDEX IF NOT EXISTS quarantine_newest ON quarantine (id DESC) INCLUDE (weight);
CREATE INDEX IF NOT EXISTS quarantine_by_age ON quarantine (received_at);
