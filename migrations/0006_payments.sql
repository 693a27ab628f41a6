-- What is asked for, what was paid, and every call to the processor that may have moved money. An
-- attempt is written and committed before the call, with the key by which the processor can be
-- asked again.

CREATE TABLE payment_requests (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  title text NOT NULL,
  description text NOT NULL,
  lines jsonb NOT NULL,
  total bigint NOT NULL CHECK (total > 0),
  currency text NOT NULL,
  shipping_address text NOT NULL CHECK (shipping_address IN ('required', 'none')),
  state text NOT NULL CHECK (state IN ('open', 'paying', 'paid', 'declined', 'cancelled',
    'expired')),
  reason text,
  expires_at timestamptz NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
CREATE INDEX payment_requests_conversation ON payment_requests (merchant_id, conversation_id, id);
CREATE INDEX payment_requests_buyer ON payment_requests (buyer_id, id);
GRANT SELECT, INSERT, UPDATE ON payment_requests TO bottega_app;

CREATE TABLE payments (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  payment_request_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  refunded bigint NOT NULL DEFAULT 0,
  state text NOT NULL CHECK (state IN ('created', 'requires_action', 'authorized', 'captured',
    'partially_refunded', 'refunded', 'failed', 'voided', 'unknown')),
  processor text NOT NULL,
  reference text,
  reason text,
  action_url text,
  ship_to jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_request_id) REFERENCES payment_requests,
  CHECK (refunded BETWEEN 0 AND amount)
);
-- However many devices tap at once, one attempt to pay is alive.
CREATE UNIQUE INDEX payments_one_alive ON payments (merchant_id, payment_request_id)
  WHERE state NOT IN ('failed', 'voided');
GRANT SELECT, INSERT, UPDATE ON payments TO bottega_app;

CREATE TABLE attempts (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  operation text NOT NULL CHECK (operation IN ('charge', 'refund', 'payout')),
  subject_id uuid NOT NULL,
  processor text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('sent', 'waiting', 'succeeded', 'failed', 'unknown')),
  reference text,
  reason text,
  asked integer NOT NULL DEFAULT 0,
  -- By the machine's time: how long a call may still be under way does not move with the test
  -- clock.
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz,
  PRIMARY KEY (merchant_id, id)
);
CREATE INDEX attempts_subject ON attempts (merchant_id, subject_id, id);
GRANT SELECT, INSERT, UPDATE ON attempts TO bottega_app;

CREATE TABLE refunds (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  order_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed', 'unknown')),
  reference text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments
);
CREATE INDEX refunds_payment ON refunds (merchant_id, payment_id);
GRANT SELECT, INSERT, UPDATE ON refunds TO bottega_app;

-- What processors told us by themselves: kept by their own event id, so that a repeat changes
-- nothing.
CREATE TABLE processor_events (
  processor text NOT NULL,
  event_id text NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  verdict text NOT NULL,
  reference text NOT NULL,
  reason text NOT NULL,
  action_url text NOT NULL,
  received_at timestamptz NOT NULL,
  handled_at timestamptz,
  PRIMARY KEY (processor, event_id)
);
GRANT SELECT, INSERT, UPDATE ON processor_events TO bottega_app;
