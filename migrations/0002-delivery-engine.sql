-- What the delivery engine keeps beside a delivery's state: why it is held, its order key, what its
-- attempts left in doubt; the pauses, the gates of lanes, the problems, and the replays by query.

ALTER TABLE deliveries
  -- kept apart from `state` for the same reason as `open`
  ADD COLUMN held boolean NOT NULL DEFAULT false,
  -- `order`, `flow:<id>`, `operation:<connector>.<operation>`
  ADD COLUMN held_by text,
  -- `<flow>:<key>`; deliveries of one chain go one after the other, by `seq`, then `id`
  ADD COLUMN chain text,
  ADD COLUMN seq bigint,
  -- where only the newest of a chain counts: which one that is
  ADD COLUMN version numeric,
  -- what it does behind a dead one of its chain: `block`, `park`, `skip`
  ADD COLUMN behind text,
  -- where only the newest counts: the least time between two calls of the chain
  ADD COLUMN settle_ms integer,
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
-- Each delivery of a chain that is open or in the way stands in one of these two.
CREATE INDEX deliveries_chain ON deliveries (chain, open, seq, id)
  WHERE chain IS NOT NULL AND version IS NULL AND (open OR blocks);
CREATE INDEX deliveries_chain_version ON deliveries (chain, version, seq, id)
  WHERE chain IS NOT NULL AND version IS NOT NULL AND open;
CREATE UNIQUE INDEX deliveries_one_running ON deliveries (running) WHERE running IS NOT NULL;
-- One that was retried belongs to its problem until it is delivered.
CREATE INDEX deliveries_by_problem ON deliveries (problem, id)
  WHERE problem IS NOT NULL AND (dead OR open);
-- Dead, and not yet counted for a problem: those of before this file, and whom another statement
-- than the record let die.
CREATE INDEX deliveries_uncounted ON deliveries (id) WHERE dead AND problem IS NULL;
CREATE INDEX deliveries_dead_versions ON deliveries (chain, version)
  WHERE dead AND version IS NOT NULL;
CREATE INDEX deliveries_by_replay ON deliveries (replay_run, id) WHERE replay_run IS NOT NULL;

-- what was done to lanes, for the story of one delivery
CREATE INDEX changes_of_lanes ON changes (connector, id) WHERE delivery_id IS NULL;

-- What was last sent for a key of which only the newest counts.
CREATE TABLE order_keys (
  chain text PRIMARY KEY,
  -- the greatest that was delivered, or may have been
  sent_version numeric,
  -- when the last call was begun
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 80);

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
  -- 32 hex digits
  fingerprint text PRIMARY KEY,
  class text NOT NULL,
  code text NOT NULL,
  connector text NOT NULL,
  -- of the deaths, without what differs from one to the next
  message text NOT NULL,
  -- `open`, `acknowledged`, `resolved`, `ignored`
  state text NOT NULL DEFAULT 'open',
  -- deliveries that died of it, all told
  count bigint NOT NULL DEFAULT 0,
  sample_delivery uuid NOT NULL,
  first_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  last_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  -- since it was last opened
  opened_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  -- whether somebody was told of this opening
  announced boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
  changed_by text NOT NULL DEFAULT 'hub'
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
  -- `planned`, `running`, `done`, `cancelling`, `cancelled`
  state text NOT NULL DEFAULT 'planned',
  -- what its plan said
  targets json NOT NULL DEFAULT '[]',
  expected_ms float8 NOT NULL DEFAULT 0,
  warnings json NOT NULL DEFAULT '[]',
  -- its members, how many of them it has come past, and how many deliveries it made
  total bigint NOT NULL,
  taken bigint NOT NULL DEFAULT 0,
  made bigint NOT NULL DEFAULT 0,
  -- not before this; by it the rate is kept, over all processes
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  waiting_for text,
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX replays_under_way ON replays (due_at) WHERE state IN ('running', 'cancelling');

-- What a replay was planned for, a hundred a row: ids of deliveries, or of events where it is of
-- events that no flow took. A row stays small enough to need no TOAST.
CREATE TABLE replay_members (
  replay uuid NOT NULL,
  piece integer NOT NULL,
  ids uuid[] NOT NULL,
  PRIMARY KEY (replay, piece)
);
