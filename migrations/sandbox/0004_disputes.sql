-- Disputes that the sandbox plays: the money is taken out when one opens, and given back when it is
-- won.
CREATE TABLE disputes (
  reference text PRIMARY KEY,
  charge text NOT NULL REFERENCES movements (reference),
  charge_key text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('opened', 'evidence_due', 'under_review', 'won', 'lost')),
  evidence_due_at timestamptz NOT NULL,
  answer_key text UNIQUE,
  evidence text,
  decide_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX disputes_open ON disputes (decide_at) WHERE state NOT IN ('won', 'lost');
CREATE INDEX disputes_updated ON disputes (updated_at);
GRANT SELECT, INSERT, UPDATE ON disputes TO bottega_sandbox;

ALTER TABLE movements
  DROP CONSTRAINT movements_operation_check,
  ADD CONSTRAINT movements_operation_check CHECK (operation IN
    ('charge', 'refund', 'payout', 'dispute', 'dispute_return'));
