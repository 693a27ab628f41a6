-- What a processor has said, and where a call goes, is written down with the call.

-- What has moved, where an event says it.
ALTER TABLE processor_events ADD COLUMN amount jsonb;

-- A call is sent again under its key as it was sent first, whatever has become of the merchant's
-- account; 'platform' is the account of whoever runs the server.
ALTER TABLE attempts ADD COLUMN account text NOT NULL DEFAULT '';
UPDATE attempts a SET account = coalesce(
  (SELECT coalesce(m.processor_account, '') FROM merchants m WHERE m.id = a.merchant_id),
  'platform')
WHERE operation <> 'dispute';
ALTER TABLE attempts ALTER COLUMN account DROP DEFAULT;

-- What was refunded or paid out, and has come back: it has moved, both ways.
ALTER TABLE attempts ADD COLUMN returned_at timestamptz;

-- A charge that has succeeded after it was held as failed, and is refunded: another payment of the
-- same request may be alive.
ALTER TABLE payments ADD COLUMN is_late boolean NOT NULL DEFAULT false;
DROP INDEX payments_one_alive;
CREATE UNIQUE INDEX payments_one_alive ON payments (merchant_id, payment_request_id)
  WHERE state NOT IN ('failed', 'voided') AND NOT is_late;

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance', 'refund_advance',
     'goodwill', 'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery',
     'dispute', 'dispute_fee', 'dispute_balance', 'dispute_advance', 'dispute_lost', 'dispute_won',
     'dispute_won_fee', 'dispute_won_debt', 'top_up', 'withdrawal', 'transfer',
     'top_up_recovery', 'withdrawal_recovery', 'dispute_loss', 'dispute_late',
     'dispute_late_fee', 'dispute_late_balance', 'dispute_late_advance',
     'refund_return', 'refund_return_fee', 'refund_return_balance', 'refund_return_debt',
     'refund_return_goodwill', 'payout_return', 'withdrawal_return'));

-- A refund that came back counts as not given.
CREATE OR REPLACE VIEW ledger_revenue AS
SELECT debit_owner AS owner_id, at, (at AT TIME ZONE 'UTC')::date AS day, currency,
       CASE WHEN why = 'capture' THEN amount ELSE 0 END AS captured,
       CASE WHEN why = 'capture' THEN 1 ELSE 0 END AS captures,
       CASE WHEN why IN ('refund', 'refund_fee', 'refund_balance', 'refund_advance', 'goodwill',
                         'dispute_lost', 'dispute_loss')
              THEN amount
            WHEN why IN ('refund_return', 'refund_return_fee', 'refund_return_balance',
                         'refund_return_debt', 'refund_return_goodwill')
              THEN -amount ELSE 0 END AS refunded,
       CASE WHEN why = 'platform_fee' THEN amount ELSE 0 END AS fees_earned,
       CASE WHEN why IN ('refund_fee', 'dispute_fee', 'dispute_late_fee') THEN amount
            WHEN why IN ('refund_return_fee', 'dispute_won_fee') THEN -amount
            ELSE 0 END AS fees_returned,
       CASE WHEN why = 'goodwill' THEN amount
            WHEN why IN ('goodwill_return', 'refund_return_goodwill') THEN -amount
            ELSE 0 END AS goodwill,
       CASE WHEN why = 'processor_fee' THEN amount ELSE 0 END AS processor_fees,
       CASE WHEN why = 'dispute_loss' THEN amount
            WHEN why IN ('dispute_late', 'dispute_late_fee', 'dispute_late_balance',
                         'dispute_late_advance') THEN -amount ELSE 0 END AS losses
FROM ledger_transfers
WHERE phase = 'posted' AND debit_kind <> 'wallet_reserve'
  AND why IN ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance',
              'refund_advance', 'goodwill', 'goodwill_return', 'platform_fee', 'dispute_fee',
              'dispute_lost', 'dispute_won_fee', 'dispute_loss', 'dispute_late',
              'dispute_late_fee', 'dispute_late_balance', 'dispute_late_advance',
              'refund_return', 'refund_return_fee', 'refund_return_balance',
              'refund_return_debt', 'refund_return_goodwill');

-- When the processor was last asked what it has decided about a merchant.
ALTER TABLE merchants ADD COLUMN onboarding_asked_at timestamptz;
CREATE INDEX merchants_in_progress ON merchants (onboarding_asked_at)
  WHERE onboarding = 'in_progress';
