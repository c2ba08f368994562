-- The journal: events, deliveries, attempts, and the changes that no attempt explains.
--
-- No foreign keys: all rows of one event are written by one statement and deleted by one statement,
-- and a key check for every delivery and attempt would lock and dirty the parent row each time.

CREATE TABLE events (
  id uuid PRIMARY KEY,
  source text NOT NULL,
  topic text NOT NULL,
  dedupe_key text NOT NULL,
  shop text,
  body bytea NOT NULL,
  -- json, not jsonb: kept as written
  headers json NOT NULL,
  sha256 text NOT NULL,
  occurred_at timestamptz,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  cause_id uuid,
  CONSTRAINT events_one_per_message UNIQUE (source, dedupe_key)
) WITH (toast_tuple_target = 8160);

-- A webhook of a few kilobytes stays in its row, and nobody spends time compressing it.
ALTER TABLE events ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE deliveries (
  id uuid PRIMARY KEY,
  event_id uuid NOT NULL,
  flow text NOT NULL,
  connector text NOT NULL,
  operation text NOT NULL,
  revision text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  code text,
  reason text,
  -- false once the delivery is finished; kept apart from `state` so that a claim changes no indexed
  -- column and stays a heap-only update
  open boolean NOT NULL DEFAULT true,
  -- likewise
  dead boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  spent integer NOT NULL DEFAULT 0,
  round integer NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz,
  result json,
  replay_of uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 75);

CREATE INDEX deliveries_by_event ON deliveries (event_id);
CREATE INDEX deliveries_open ON deliveries (due_at, id) WHERE open;
CREATE INDEX deliveries_dead ON deliveries (connector, id) WHERE dead;

CREATE TABLE attempts (
  delivery_id uuid NOT NULL,
  number integer NOT NULL,
  fence bigint NOT NULL,
  started_at timestamptz NOT NULL,
  duration_ms integer NOT NULL,
  outcome text NOT NULL,
  ambiguous boolean NOT NULL,
  code text,
  reason text,
  status integer,
  request json,
  response json,
  PRIMARY KEY (delivery_id, number)
);

-- What was done to a delivery or, without one, to a connector's lane.
CREATE TABLE changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid,
  connector text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  became text NOT NULL,
  made_by text NOT NULL,
  reason text
);

CREATE INDEX changes_by_delivery ON changes (delivery_id) WHERE delivery_id IS NOT NULL;

CREATE TABLE paused_lanes (
  connector text PRIMARY KEY,
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  paused_by text NOT NULL
);

CREATE TABLE revisions (
  hash text PRIMARY KEY,
  flow text NOT NULL,
  document json NOT NULL,
  saved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
