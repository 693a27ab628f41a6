-- What a buyer sends back of an order.

-- order_state: what the order was before, which it is again where nothing comes back. note: the
-- buyer's words, decision: the shop's. lines: what is to come back, received: what has. proposed
-- and amount in minor units: what the server proposes to give back for it, and what is given back.
CREATE TABLE returns (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  order_state text NOT NULL
    CHECK (order_state IN ('shipped', 'delivered', 'completed', 'returned')),
  state text NOT NULL CHECK (state IN ('requested', 'approved', 'rejected', 'cancelled', 'expired',
                                       'received', 'refunded')),
  reason text NOT NULL CHECK (reason IN ('changed_mind', 'damaged', 'wrong_item',
                                         'not_as_described', 'withdrawal', 'other')),
  note text,
  lines jsonb NOT NULL,
  decision text,
  return_by timestamptz,
  received jsonb,
  restocked boolean NOT NULL,
  currency text NOT NULL,
  proposed bigint CHECK (proposed >= 0),
  amount bigint CHECK (amount >= 0),
  refund_id uuid,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  decided_at timestamptz,
  received_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations,
  FOREIGN KEY (merchant_id, refund_id) REFERENCES refunds,
  CHECK ((state IN ('received', 'refunded')) = (received IS NOT NULL)),
  CHECK ((received IS NULL) = (received_at IS NULL)),
  CHECK ((received IS NULL) = (proposed IS NULL)),
  CHECK ((state IN ('rejected', 'cancelled', 'expired', 'refunded')) = (ended_at IS NOT NULL)),
  CHECK (state <> 'approved' OR return_by IS NOT NULL),
  CHECK (state <> 'refunded' OR amount IS NOT NULL),
  CHECK (refund_id IS NULL OR amount > 0)
);
-- One at a time of an order.
CREATE UNIQUE INDEX returns_live ON returns (merchant_id, order_id)
  WHERE state IN ('requested', 'approved');
CREATE INDEX returns_order ON returns (merchant_id, order_id, id);
CREATE INDEX returns_state ON returns (merchant_id, state, id);
CREATE INDEX returns_buyer ON returns (buyer_id, id);
CREATE UNIQUE INDEX returns_refund ON returns (merchant_id, refund_id)
  WHERE refund_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON returns TO bottega_app;

-- What is sent back holds a payout as well.
ALTER TABLE payout_holds
  DROP CONSTRAINT payout_holds_cause_check,
  ADD CONSTRAINT payout_holds_cause_check
    CHECK (cause IN ('ops', 'refund', 'dispute', 'risk', 'order_return'));
