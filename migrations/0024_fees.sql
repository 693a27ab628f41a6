-- What the platform takes has a history: plans with dates, of which nothing is changed or deleted.
-- What the processor has kept of a payment is written down once, and the ledger says what the
-- platform has earned in the end.

CREATE TABLE fee_plans (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  -- NULL: whatever the currency.
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  basis_points bigint NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
  fixed bigint NOT NULL CHECK (fixed >= 0),
  effective_from timestamptz NOT NULL,
  created_by text NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  -- Of two plans from the same moment nobody could say which one applies.
  UNIQUE NULLS NOT DISTINCT (merchant_id, currency, effective_from)
);
GRANT SELECT, INSERT ON fee_plans TO bottega_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fee_plans
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON fee_plans
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The merchant's own id names its first plan: it is of the right version, and older than any later
-- one.
INSERT INTO fee_plans (merchant_id, id, currency, basis_points, fixed, effective_from, created_by,
                       reason, created_at)
SELECT id, id, NULL, fee_basis_points, fee_fixed, created_at, 'system',
       'as it was before plans had dates', created_at
FROM merchants;
ALTER TABLE merchants DROP COLUMN fee_basis_points, DROP COLUMN fee_fixed;

-- NULL: nobody has said it, or not yet.
ALTER TABLE payments ADD COLUMN processor_fee bigint CHECK (processor_fee >= 0);
ALTER TABLE processor_events ADD COLUMN fee bigint;

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance', 'refund_advance',
     'goodwill', 'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery'));

-- What each transfer that has moved means for the platform's revenue. Days are found by
-- ledger_transfers_at, one merchant's by ledger_transfers_debit: each of these is from one of its
-- accounts to another.
CREATE VIEW ledger_revenue AS
SELECT debit_owner AS owner_id, at, (at AT TIME ZONE 'UTC')::date AS day, currency,
       CASE WHEN why = 'capture' THEN amount ELSE 0 END AS captured,
       CASE WHEN why = 'capture' THEN 1 ELSE 0 END AS captures,
       CASE WHEN why IN ('refund', 'refund_fee', 'refund_balance', 'refund_advance', 'goodwill')
              THEN amount ELSE 0 END AS refunded,
       CASE WHEN why = 'platform_fee' THEN amount ELSE 0 END AS fees_earned,
       CASE WHEN why = 'refund_fee' THEN amount ELSE 0 END AS fees_returned,
       CASE why WHEN 'goodwill' THEN amount WHEN 'goodwill_return' THEN -amount ELSE 0 END
         AS goodwill,
       CASE WHEN why = 'processor_fee' THEN amount ELSE 0 END AS processor_fees
FROM ledger_transfers
WHERE phase = 'posted'
  AND why IN ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance',
              'refund_advance', 'goodwill', 'goodwill_return', 'platform_fee');
GRANT SELECT ON ledger_revenue TO bottega_app;
