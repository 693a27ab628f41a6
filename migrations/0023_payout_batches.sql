-- What is due to a merchant at one moment goes to the bank as one batch. A batch is tried once:
-- what the bank refuses is the merchant's balance again, and its payouts go with a later batch.

CREATE TABLE payout_batches (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL,
  payouts integer NOT NULL CHECK (payouts > 0),
  state text NOT NULL CHECK (state IN ('submitted', 'paid', 'failed')),
  reason text,
  reference text,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (merchant_id, id)
);
GRANT SELECT, INSERT, UPDATE ON payout_batches TO bottega_app;

-- retry_at: when one that failed goes with another batch by itself; none where that is given up.
ALTER TABLE payouts
  ADD COLUMN batch_id uuid,
  ADD COLUMN retry_at timestamptz,
  ADD FOREIGN KEY (merchant_id, batch_id) REFERENCES payout_batches,
  ADD CHECK (retry_at IS NULL OR state = 'failed');
CREATE INDEX payouts_due ON payouts (merchant_id, currency, due_at)
  WHERE state IN ('scheduled', 'failed');
CREATE INDEX payouts_batch ON payouts (merchant_id, batch_id, id);

-- What was sent before was sent one by one: each is a batch with the id by which its attempt and
-- its transfers know it.
INSERT INTO payout_batches (merchant_id, id, amount, currency, payouts, state, reference,
                            created_at, ended_at)
SELECT merchant_id, id, amount - recovered, currency, 1, state, reference,
       coalesce(submitted_at, created_at), paid_at
FROM payouts WHERE state IN ('submitted', 'paid');
UPDATE payouts SET batch_id = id WHERE state IN ('submitted', 'paid');
UPDATE payouts SET retry_at = now() WHERE state = 'failed';
