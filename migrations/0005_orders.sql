-- What was bought, where it goes, and whether it was sent. An order is made by a captured payment.

CREATE TABLE orders (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  conversation_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  payment_id uuid NOT NULL,
  title text NOT NULL,
  lines jsonb NOT NULL,
  total bigint NOT NULL CHECK (total > 0),
  fee bigint NOT NULL CHECK (fee >= 0 AND fee < total),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('paid', 'shipped', 'delivered', 'completed', 'cancelled',
    'return_requested', 'returned')),
  ship_to jsonb,
  ship_by timestamptz NOT NULL,
  carrier text,
  tracking_number text,
  reason text,
  created_at timestamptz NOT NULL,
  shipped_at timestamptz,
  delivered_at timestamptz,
  cancelled_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations,
  UNIQUE (merchant_id, payment_id),
  CHECK ((state IN ('paid', 'cancelled')) = (shipped_at IS NULL)),
  CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE INDEX orders_buyer ON orders (buyer_id, id);
CREATE INDEX orders_conversation ON orders (merchant_id, conversation_id, id);
GRANT SELECT, INSERT, UPDATE ON orders TO bottega_app;
