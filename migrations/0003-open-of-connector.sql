-- additive
-- What is due first of one connector, also where a hundred thousand older ones of another are held.
CREATE INDEX IF NOT EXISTS deliveries_open_of_connector ON deliveries (connector, due_at, id)
  WHERE open AND NOT held;
