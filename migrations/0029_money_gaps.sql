-- A dispute about a top-up takes what is in the person's wallet: it is reserved while the bank
-- decides, what is missing is advanced by the platform, and is the person's debt.

ALTER TABLE ledger_accounts
  DROP CONSTRAINT ledger_accounts_kind_check,
  ADD CONSTRAINT ledger_accounts_kind_check CHECK (kind IN
    ('processor_clearing', 'processor_fees', 'held', 'merchant_payable', 'merchant_debt',
     'platform_fees', 'dispute_reserve', 'wallet', 'goodwill', 'wallet_reserve', 'wallet_debt',
     'losses')),
  DROP CONSTRAINT ledger_accounts_not_overdrawn,
  ADD CONSTRAINT ledger_accounts_not_overdrawn CHECK (
    CASE WHEN kind = 'processor_clearing' THEN true
         WHEN kind IN ('processor_fees', 'merchant_debt', 'goodwill', 'wallet_debt', 'losses')
           THEN debits - credits >= credits_pending
         ELSE credits - debits >= debits_pending END);

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance', 'refund_advance',
     'goodwill', 'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery',
     'dispute', 'dispute_fee', 'dispute_balance', 'dispute_advance', 'dispute_lost', 'dispute_won',
     'dispute_won_fee', 'dispute_won_debt', 'top_up', 'withdrawal', 'transfer',
     'top_up_recovery', 'withdrawal_recovery', 'dispute_loss', 'dispute_late',
     'dispute_late_fee', 'dispute_late_balance', 'dispute_late_advance'));

-- What of it is disputed, or was lost in a dispute; and since when its owner wants it no more,
-- while it waits for their confirmation: the processor may be told later.
ALTER TABLE top_ups
  ADD COLUMN cancel_asked_at timestamptz,
  ADD COLUMN disputed bigint NOT NULL DEFAULT 0 CHECK (disputed >= 0),
  ADD CONSTRAINT top_ups_disputed_within CHECK (disputed <= amount);

-- What was there and what was advanced make up what is reserved. The staff answers these.
CREATE TABLE top_up_disputes (
  id uuid PRIMARY KEY,
  top_up_id uuid NOT NULL REFERENCES top_ups,
  account_id uuid NOT NULL REFERENCES accounts,
  processor text NOT NULL,
  reference text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reserved bigint NOT NULL CHECK (reserved >= 0),
  from_balance bigint NOT NULL CHECK (from_balance >= 0),
  advanced bigint NOT NULL CHECK (advanced >= 0),
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('opened', 'evidence_due', 'under_review', 'won', 'lost')),
  evidence_due_at timestamptz,
  text text,
  response text CHECK (response IN ('contest', 'accept')),
  failure text,
  submitted_at timestamptz,
  closed_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- Whoever tells of it, and how often: it is one dispute.
  UNIQUE (processor, reference),
  CONSTRAINT top_up_disputes_within CHECK (reserved <= amount),
  CONSTRAINT top_up_disputes_add_up CHECK (from_balance + advanced = reserved)
);
CREATE INDEX top_up_disputes_account ON top_up_disputes (account_id, id);
CREATE INDEX top_up_disputes_top_up ON top_up_disputes (top_up_id);
GRANT SELECT, INSERT, UPDATE ON top_up_disputes TO bottega_app;

-- What was sent to the processor, to the byte, with the server's signature.
CREATE TABLE top_up_evidence (
  dispute_id uuid PRIMARY KEY REFERENCES top_up_disputes,
  document text NOT NULL,
  sha256 text NOT NULL,
  signature text NOT NULL,
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON top_up_evidence TO bottega_app;

-- Money of wallets is no sale: what is lost of it was never captured. What a bank takes and no
-- merchant owes is the platform's loss, less what turned out to be owed.
CREATE OR REPLACE VIEW ledger_revenue AS
SELECT debit_owner AS owner_id, at, (at AT TIME ZONE 'UTC')::date AS day, currency,
       CASE WHEN why = 'capture' THEN amount ELSE 0 END AS captured,
       CASE WHEN why = 'capture' THEN 1 ELSE 0 END AS captures,
       CASE WHEN why IN ('refund', 'refund_fee', 'refund_balance', 'refund_advance', 'goodwill',
                         'dispute_lost', 'dispute_loss')
              THEN amount ELSE 0 END AS refunded,
       CASE WHEN why = 'platform_fee' THEN amount ELSE 0 END AS fees_earned,
       CASE WHEN why IN ('refund_fee', 'dispute_fee', 'dispute_late_fee') THEN amount
            WHEN why = 'dispute_won_fee' THEN -amount ELSE 0 END AS fees_returned,
       CASE why WHEN 'goodwill' THEN amount WHEN 'goodwill_return' THEN -amount ELSE 0 END
         AS goodwill,
       CASE WHEN why = 'processor_fee' THEN amount ELSE 0 END AS processor_fees,
       CASE WHEN why = 'dispute_loss' THEN amount
            WHEN why IN ('dispute_late', 'dispute_late_fee', 'dispute_late_balance',
                         'dispute_late_advance') THEN -amount ELSE 0 END AS losses
FROM ledger_transfers
WHERE phase = 'posted' AND debit_kind <> 'wallet_reserve'
  AND why IN ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance',
              'refund_advance', 'goodwill', 'goodwill_return', 'platform_fee', 'dispute_fee',
              'dispute_lost', 'dispute_won_fee', 'dispute_loss', 'dispute_late',
              'dispute_late_fee', 'dispute_late_balance', 'dispute_late_advance');

-- What of a batch was in the merchant's balance besides its payouts; and what belongs to payouts
-- that the bank has refused, which is not.
ALTER TABLE payout_batches
  ADD COLUMN from_balance bigint NOT NULL DEFAULT 0 CHECK (from_balance >= 0),
  ADD CONSTRAINT payout_batches_from_balance_within CHECK (from_balance <= amount);
CREATE INDEX payouts_refused ON payouts (merchant_id, currency)
  WHERE tries > 0 AND state IN ('scheduled', 'held', 'failed');
