-- additive
-- Which of a receiver's secrets matched last, and when. `mark` tells secrets apart over a rotation
-- without saying anything of them: sixteen bits of a hash.
CREATE TABLE IF NOT EXISTS secret_uses (
  source text NOT NULL,
  mark text NOT NULL,
  number integer NOT NULL,
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  matches bigint NOT NULL,
  PRIMARY KEY (source, mark)
);
