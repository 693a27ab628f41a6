-- The merchant's share of an order, scheduled by the shipment and never without one.

CREATE TABLE payouts (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  fee bigint NOT NULL CHECK (fee >= 0),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('scheduled', 'held', 'submitted', 'paid', 'failed',
    'cancelled')),
  shipped_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  due_on date NOT NULL,
  reason text,
  reference text,
  tries integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  submitted_at timestamptz,
  paid_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  UNIQUE (merchant_id, order_id),
  CHECK (due_at > shipped_at),
  CHECK (state <> 'held' OR reason IS NOT NULL)
);
CREATE INDEX payouts_state ON payouts (merchant_id, state, id);
GRANT SELECT, INSERT, UPDATE ON payouts TO bottega_app;
