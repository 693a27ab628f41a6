-- The wallet: ways to pay that people keep, a balance, and money from person to person. Its
-- accounts are in the ledger; what is here says why money moved. None of it is a merchant's.

-- What moves to or from a wallet is asked for by the platform itself, which is no merchant.
ALTER TABLE attempts DROP CONSTRAINT attempts_merchant_id_fkey;

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'processor_fee', 'refund', 'refund_fee', 'refund_balance', 'refund_advance',
     'goodwill', 'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery',
     'dispute', 'dispute_fee', 'dispute_balance', 'dispute_advance', 'dispute_lost', 'dispute_won',
     'dispute_won_fee', 'dispute_won_debt', 'top_up', 'withdrawal', 'transfer'));

-- Asked for before money leaves. Wrong tries are counted, and so are the times that they were too
-- many.
CREATE TABLE pins (
  account_id uuid PRIMARY KEY REFERENCES accounts,
  hash text NOT NULL,
  tries integer NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
  lock_outs integer NOT NULL DEFAULT 0 CHECK (lock_outs BETWEEN 0 AND 3),
  locked_until timestamptz,
  set_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON pins TO bottega_app;

-- The processor's token stands for the card or bank account, which we never see.
CREATE TABLE payment_methods (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  processor text NOT NULL,
  token text NOT NULL,
  brand text NOT NULL CHECK (brand IN ('visa', 'mastercard', 'amex', 'bank', 'other')),
  last_four text NOT NULL CHECK (last_four ~ '^[0-9]{4}$'),
  expiry_month integer CHECK (expiry_month BETWEEN 1 AND 12),
  expiry_year integer,
  is_default boolean NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (account_id, processor, token),
  CHECK ((expiry_month IS NULL) = (expiry_year IS NULL))
);
CREATE UNIQUE INDEX payment_methods_default ON payment_methods (account_id) WHERE is_default;
GRANT SELECT, INSERT, UPDATE, DELETE ON payment_methods TO bottega_app;

-- Money from one person to another. It is set aside while it is pending.
CREATE TABLE transfers (
  id uuid PRIMARY KEY,
  sender_id uuid NOT NULL REFERENCES accounts,
  recipient_id uuid NOT NULL REFERENCES accounts,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  note text,
  state text NOT NULL CHECK (state IN ('funding', 'pending', 'accepted', 'declined', 'cancelled',
    'returned', 'failed')),
  reason text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK (sender_id <> recipient_id),
  CHECK ((ended_at IS NULL) = (state IN ('funding', 'pending')))
);
CREATE INDEX transfers_sender ON transfers (sender_id, id);
CREATE INDEX transfers_recipient ON transfers (recipient_id, id);
GRANT SELECT, INSERT, UPDATE ON transfers TO bottega_app;

-- What somebody has sent and was sent in an hour that has not come back: the limits add up hours,
-- however many transfers there were.
CREATE TABLE transfer_flows (
  account_id uuid NOT NULL REFERENCES accounts,
  currency text NOT NULL,
  hour timestamptz NOT NULL,
  sent bigint NOT NULL CHECK (sent >= 0),
  received bigint NOT NULL CHECK (received >= 0),
  PRIMARY KEY (account_id, currency, hour)
);
GRANT SELECT, INSERT, UPDATE ON transfer_flows TO bottega_app;

CREATE TABLE top_ups (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('created', 'requires_action', 'succeeded', 'failed',
    'unknown')),
  -- What it is to pay for, where that could not wait.
  transfer_id uuid REFERENCES transfers,
  processor text NOT NULL,
  reference text,
  reason text,
  action_url text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX top_ups_account ON top_ups (account_id, id);
CREATE UNIQUE INDEX top_ups_transfer ON top_ups (transfer_id) WHERE transfer_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON top_ups TO bottega_app;

-- The payment method stays until its withdrawals have ended; after that its id says nothing more.
CREATE TABLE withdrawals (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  payment_method_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed', 'unknown')),
  processor text NOT NULL,
  reference text,
  reason text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX withdrawals_account ON withdrawals (account_id, id);
GRANT SELECT, INSERT, UPDATE ON withdrawals TO bottega_app;
