-- Limits of payments and reviews by the staff. What was taken, paid and tried is counted by time,
-- so that a limit adds up a few rows, however many payments there were.

-- What a merchant has taken in an hour: what has failed is given back, what was refunded is not.
CREATE TABLE merchant_takings (
  merchant_id uuid NOT NULL REFERENCES merchants,
  currency text NOT NULL,
  hour timestamptz NOT NULL,
  taken bigint NOT NULL CHECK (taken >= 0),
  PRIMARY KEY (merchant_id, currency, hour)
);
GRANT SELECT, INSERT, UPDATE ON merchant_takings TO bottega_app;

INSERT INTO merchant_takings (merchant_id, currency, hour, taken)
SELECT merchant_id, currency, date_trunc('hour', created_at, 'UTC'), sum(amount)
FROM payments WHERE state NOT IN ('failed', 'voided') GROUP BY 1, 2, 3;

-- What a buyer has paid, and how often, in ten minutes; likewise.
CREATE TABLE buyer_flows (
  account_id uuid NOT NULL REFERENCES accounts,
  currency text NOT NULL,
  slot timestamptz NOT NULL,
  payments bigint NOT NULL CHECK (payments >= 0),
  paid bigint NOT NULL CHECK (paid >= 0),
  PRIMARY KEY (account_id, slot, currency)
);
GRANT SELECT, INSERT, UPDATE ON buyer_flows TO bottega_app;

-- How often somebody has tried to pay with a payment method in ten minutes, with or without
-- success. All tokens that are used once are one method, which has the account's id: what they
-- stand for is not known here.
CREATE TABLE method_tries (
  account_id uuid NOT NULL REFERENCES accounts,
  method_id uuid NOT NULL,
  slot timestamptz NOT NULL,
  tries bigint NOT NULL CHECK (tries >= 0),
  PRIMARY KEY (account_id, method_id, slot)
);
GRANT SELECT, INSERT, UPDATE ON method_tries TO bottega_app;

-- A merchant's own limits in whole units of its currency, in place of the settings.
CREATE TABLE merchant_limits (
  merchant_id uuid PRIMARY KEY REFERENCES merchants,
  request_max bigint CHECK (request_max >= 0),
  week_max bigint CHECK (week_max >= 0),
  reason text NOT NULL,
  set_by text NOT NULL,
  set_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON merchant_limits TO bottega_app;

-- A payment that a person is to look at. While it is open, and for ever where it is rejected, its
-- order's payout is held. `decision` is the reason in words.
CREATE TABLE reviews (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  order_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reasons text[] NOT NULL CHECK (reasons <@ ARRAY['first_sale', 'amount', 'merchant_week'])
    CHECK (cardinality(reasons) > 0),
  state text NOT NULL CHECK (state IN ('open', 'approved', 'rejected')),
  decided_by text,
  decided_at timestamptz,
  decision text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments,
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  UNIQUE (merchant_id, payment_id),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((decided_at IS NULL) = (decision IS NULL))
);
CREATE INDEX reviews_id ON reviews (id);
CREATE INDEX reviews_open ON reviews (id) WHERE state = 'open';
GRANT SELECT, INSERT, UPDATE ON reviews TO bottega_app;
