-- Disputes: a buyer's bank takes a charge back. The disputed amount is reserved the moment it
-- opens, the merchant sends evidence or accepts, and the bank decides.

-- What of a payment is disputed, or was lost in a dispute, and the fee that goes back with it: with
-- what was given back it is never more than was paid.
ALTER TABLE payments
  ADD COLUMN disputed bigint NOT NULL DEFAULT 0 CHECK (disputed >= 0),
  ADD COLUMN disputed_fee bigint NOT NULL DEFAULT 0 CHECK (disputed_fee >= 0),
  DROP CONSTRAINT payments_refunds_within,
  ADD CONSTRAINT payments_refunds_within CHECK (refunded + refunding + disputed <= amount);

-- source: where the money was when the dispute opened; the columns behind it say what of `reserved`
-- came from where, as with refunds.
CREATE TABLE disputes (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  order_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  processor text NOT NULL,
  reference text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reserved bigint NOT NULL CHECK (reserved >= 0),
  source text NOT NULL CHECK (source IN ('held', 'released', 'platform')),
  fee_returned bigint NOT NULL CHECK (fee_returned >= 0),
  from_balance bigint NOT NULL CHECK (from_balance >= 0),
  advanced bigint NOT NULL CHECK (advanced >= 0),
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('opened', 'evidence_due', 'under_review', 'won', 'lost')),
  evidence_due_at timestamptz,
  text text,
  attachments jsonb NOT NULL DEFAULT '[]',
  response text CHECK (response IN ('contest', 'accept')),
  failure text,
  submitted_at timestamptz,
  closed_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments,
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  -- Whoever tells of it, and how often: it is one dispute.
  UNIQUE (merchant_id, processor, reference),
  CONSTRAINT disputes_within CHECK (reserved <= amount),
  CONSTRAINT disputes_add_up CHECK (
    CASE source WHEN 'released' THEN fee_returned + from_balance + advanced = reserved
                ELSE from_balance = 0 AND advanced = 0 AND fee_returned <= reserved END)
);
CREATE INDEX disputes_payment ON disputes (merchant_id, payment_id);
CREATE INDEX disputes_id ON disputes (id);
GRANT SELECT, INSERT, UPDATE ON disputes TO bottega_app;

-- What was sent to the processor, to the byte, with the server's signature.
CREATE TABLE dispute_evidence (
  merchant_id uuid NOT NULL,
  dispute_id uuid NOT NULL,
  document text NOT NULL,
  sha256 text NOT NULL,
  signature text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, dispute_id),
  FOREIGN KEY (merchant_id, dispute_id) REFERENCES disputes
);
GRANT SELECT, INSERT, UPDATE ON dispute_evidence TO bottega_app;

-- What evidence is signed with (Ed25519): every node signs alike, and what was signed once can be
-- verified for ever.
CREATE TABLE evidence_key (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seed text NOT NULL
);
GRANT SELECT, INSERT ON evidence_key TO bottega_app;

-- The answer to a dispute is a call like any other.
ALTER TABLE attempts
  DROP CONSTRAINT attempts_operation_check,
  ADD CONSTRAINT attempts_operation_check CHECK (operation IN
    ('charge', 'refund', 'payout', 'dispute'));

-- What a processor tells of a dispute.
ALTER TABLE processor_events ADD COLUMN dispute jsonb;

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance', 'refund_advance',
     'goodwill', 'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery',
     'dispute', 'dispute_fee', 'dispute_balance', 'dispute_advance', 'dispute_lost', 'dispute_won',
     'dispute_won_fee', 'dispute_won_debt'));

-- A dispute takes its share of the fee along, and brings it back where it is won.
CREATE OR REPLACE VIEW ledger_revenue AS
SELECT debit_owner AS owner_id, at, (at AT TIME ZONE 'UTC')::date AS day, currency,
       CASE WHEN why = 'capture' THEN amount ELSE 0 END AS captured,
       CASE WHEN why = 'capture' THEN 1 ELSE 0 END AS captures,
       CASE WHEN why IN ('refund', 'refund_fee', 'refund_balance', 'refund_advance', 'goodwill',
                         'dispute_lost')
              THEN amount ELSE 0 END AS refunded,
       CASE WHEN why = 'platform_fee' THEN amount ELSE 0 END AS fees_earned,
       CASE WHEN why IN ('refund_fee', 'dispute_fee') THEN amount
            WHEN why = 'dispute_won_fee' THEN -amount ELSE 0 END AS fees_returned,
       CASE why WHEN 'goodwill' THEN amount WHEN 'goodwill_return' THEN -amount ELSE 0 END
         AS goodwill,
       CASE WHEN why = 'processor_fee' THEN amount ELSE 0 END AS processor_fees
FROM ledger_transfers
WHERE phase = 'posted'
  AND why IN ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance',
              'refund_advance', 'goodwill', 'goodwill_return', 'platform_fee', 'dispute_fee',
              'dispute_lost', 'dispute_won_fee');
