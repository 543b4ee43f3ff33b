-- What the store has to remember of itself.
CREATE TABLE upkeep (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  -- The newest job at the latest prune. SQLite numbers on from the rows that are there, and would
  -- give the number of a job that was pruned to another one.
  newest_seq INTEGER NOT NULL,
  -- A daemon has it open, or did when it died.
  is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  -- It was not closed in order, and has not been checked since.
  owes_check INTEGER NOT NULL CHECK (owes_check IN (0, 1))
) STRICT;
-- Of a database from before this table nobody knows how it was closed.
INSERT INTO upkeep (only, newest_seq, is_open, owes_check) VALUES (1, 0, 1, 0);
