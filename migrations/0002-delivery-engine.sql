-- What the delivery engine keeps beside a delivery's state: why it is held, its order key, what its
-- attempts left in doubt; the pauses, the gates of lanes, the problems, and the replays by query.

ALTER TABLE deliveries
  -- kept apart from `state` for the same reason as `open`
  ADD COLUMN held boolean NOT NULL DEFAULT false,
  -- `order`, `flow:<id>`, `operation:<connector>.<operation>`
  ADD COLUMN held_by text,
  -- `<flow>:<key>`; deliveries of one chain go one after the other, by `seq`
  ADD COLUMN chain text,
  ADD COLUMN seq bigint,
  ADD COLUMN version numeric,
  -- the chain, while the delivery is active; unique: the database itself keeps two of one chain apart
  ADD COLUMN running text,
  -- dead, and in the way of its chain
  ADD COLUMN blocks boolean NOT NULL DEFAULT false,
  -- whose share of the lane it takes, where the lane is shared fairly
  ADD COLUMN tenant text,
  -- claims that ended without a word: the process that had them vanished
  ADD COLUMN strikes integer NOT NULL DEFAULT 0,
  -- the last attempt may have worked
  ADD COLUMN ambiguous boolean NOT NULL DEFAULT false,
  -- hand-backs in a row for errors of the hub's own
  ADD COLUMN hub_errors integer NOT NULL DEFAULT 0,
  -- the fingerprint of the problem that a dead delivery belongs to
  ADD COLUMN problem text,
  ADD COLUMN replay_run uuid,
  -- goes out in place of the event's body
  ADD COLUMN body bytea;

CREATE SEQUENCE delivery_seq CACHE 1;

DROP INDEX deliveries_open;
CREATE INDEX deliveries_open ON deliveries (due_at, id) WHERE open AND NOT held;
CREATE INDEX deliveries_held ON deliveries (held_by, id) WHERE held;
CREATE INDEX deliveries_chain ON deliveries (chain, seq)
  WHERE chain IS NOT NULL AND (open OR blocks);
CREATE UNIQUE INDEX deliveries_one_running ON deliveries (running) WHERE running IS NOT NULL;
CREATE INDEX deliveries_by_problem ON deliveries (problem, id) WHERE dead AND problem IS NOT NULL;
CREATE INDEX deliveries_by_replay ON deliveries (replay_run, id) WHERE replay_run IS NOT NULL;

-- what was done to lanes, for the story of one delivery
CREATE INDEX changes_of_lanes ON changes (connector, id) WHERE delivery_id IS NULL;

-- What was last sent for a key of which only the newest counts.
CREATE TABLE order_keys (
  chain text PRIMARY KEY,
  sent_version numeric,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- `scope`: connector, flow, operation; `name`: its id, or `<connector>.<operation>`.
CREATE TABLE pauses (
  scope text NOT NULL,
  name text NOT NULL,
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  paused_by text NOT NULL,
  reason text,
  PRIMARY KEY (scope, name)
);
INSERT INTO pauses (scope, name, paused_at, paused_by)
  SELECT 'connector', connector, paused_at, paused_by FROM paused_lanes;
DROP TABLE paused_lanes;

-- What the hub itself holds a lane for: an open breaker, or a target that asked for a rest.
CREATE TABLE lane_gates (
  connector text PRIMARY KEY,
  opened_at timestamptz,
  opened_code text,
  opened_reason text,
  -- of this opening: how often it was probed, and when it may be again
  probes integer NOT NULL DEFAULT 0,
  probe_at timestamptz,
  rest_until timestamptz,
  rest_reason text,
  lagging_since timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE problems (
  fingerprint text PRIMARY KEY,
  class text NOT NULL,
  code text NOT NULL,
  connector text NOT NULL,
  message text NOT NULL,
  state text NOT NULL DEFAULT 'open',
  -- deliveries that died of it, all told
  count bigint NOT NULL DEFAULT 0,
  sample_delivery uuid NOT NULL,
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- since it was last opened
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_by text
);

CREATE TABLE replays (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by text NOT NULL,
  reason text,
  query json NOT NULL,
  -- `original` or `current`: by which revision of flow and mapping
  revision text NOT NULL,
  per_second float8 NOT NULL,
  -- `planned`, `running`, `done`, `cancelled`
  state text NOT NULL DEFAULT 'planned',
  total bigint NOT NULL,
  made bigint NOT NULL DEFAULT 0,
  -- only what was there when it was planned, and how far it has come
  until_id uuid,
  cursor_id uuid,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
