-- The processor's own list of what has moved, day by day, compared with ours; what differs is kept
-- until somebody has said what it was.

CREATE TABLE settlement_runs (
  id uuid PRIMARY KEY,
  processor text NOT NULL,
  day date NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'clean', 'differences', 'failed')),
  requested_by text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  theirs_count bigint NOT NULL DEFAULT 0,
  ours_count bigint NOT NULL DEFAULT 0,
  sums jsonb NOT NULL DEFAULT '[]',
  differences bigint NOT NULL DEFAULT 0,
  pushed bigint NOT NULL DEFAULT 0,
  failure text,
  -- How far it is: each step is a transaction of its own.
  phase text NOT NULL CHECK (phase IN ('load', 'theirs', 'watched', 'ours', 'books', 'clear',
    'done')),
  step bigint NOT NULL DEFAULT 0,
  position text NOT NULL DEFAULT '',
  found bigint NOT NULL DEFAULT 0,
  CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX settlement_runs_one_running ON settlement_runs (processor, day)
  WHERE state = 'running';
CREATE INDEX settlement_runs_day ON settlement_runs (processor, requested_by, day);
GRANT SELECT, INSERT, UPDATE ON settlement_runs TO bottega_app;

-- Their list, for as long as a run is under way.
CREATE TABLE settlement_movements (
  run_id uuid NOT NULL REFERENCES settlement_runs,
  operation text NOT NULL CHECK (operation IN ('charge', 'refund', 'payout')),
  reference text NOT NULL,
  key text NOT NULL,
  attempt_id uuid,
  amount bigint NOT NULL,
  currency text NOT NULL,
  moved_at timestamptz NOT NULL,
  PRIMARY KEY (run_id, operation, reference)
);
CREATE INDEX settlement_movements_key ON settlement_movements (run_id, key);
CREATE INDEX settlement_movements_attempt ON settlement_movements (run_id, attempt_id);
GRANT SELECT, INSERT, DELETE ON settlement_movements TO bottega_app;

-- One row per thing that differs, however many runs find it.
CREATE TABLE settlement_differences (
  id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES settlement_runs,
  processor text NOT NULL,
  day date NOT NULL,
  kind text NOT NULL CHECK (kind IN ('missing_ours', 'missing_theirs', 'amount', 'unsettled',
    'ledger', 'sum')),
  key text NOT NULL,
  attempt_id uuid,
  operation text NOT NULL CHECK (operation IN ('charge', 'refund', 'payout')),
  ours bigint,
  ours_currency text,
  theirs bigint,
  theirs_currency text,
  merchant uuid REFERENCES merchants,
  subject text,
  note text NOT NULL,
  found_at timestamptz NOT NULL,
  -- What may settle by itself is looked at once more before anybody is told.
  reported_at timestamptz,
  resolved_at timestamptz,
  resolved_by text,
  resolution text,
  UNIQUE (processor, key, kind),
  CHECK ((ours IS NULL) = (ours_currency IS NULL)),
  CHECK ((theirs IS NULL) = (theirs_currency IS NULL)),
  CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
  CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
CREATE INDEX settlement_differences_open ON settlement_differences (processor, id)
  WHERE resolved_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON settlement_differences TO bottega_app;

-- Which run has found which of them, again or for the first time.
CREATE TABLE settlement_findings (
  run_id uuid NOT NULL REFERENCES settlement_runs,
  difference_id uuid NOT NULL REFERENCES settlement_differences,
  PRIMARY KEY (run_id, difference_id)
);
GRANT SELECT, INSERT ON settlement_findings TO bottega_app;

-- The days of our own list.
CREATE INDEX attempts_succeeded ON attempts (processor, settled_at, id) WHERE state = 'succeeded';
