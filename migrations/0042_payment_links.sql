-- Payment links, which anybody may open who has the address, and people who buy through one without
-- an account of their own.

-- Nobody signs in as a guest: there is no password, and the mail address is made up.
ALTER TABLE accounts
  ADD COLUMN is_guest boolean NOT NULL DEFAULT false,
  ADD CHECK (NOT is_guest OR (staff_role IS NULL AND password_hash = ''));

-- What a guest has said of themselves, for as long as their session lasts.
CREATE TABLE guests (
  account_id uuid PRIMARY KEY REFERENCES accounts,
  name text NOT NULL,
  email text NOT NULL,
  created_at timestamptz NOT NULL
);
-- A lock of a row asks for the right to change it.
GRANT SELECT, INSERT, UPDATE, DELETE ON guests TO bottega_app;

CREATE TABLE payment_links (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  code text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-Za-z]{22}$'),
  title text NOT NULL,
  -- {"variant_id", "quantity"} or {"name", "quantity", "unit_amount", "needs_shipping"}
  lines jsonb NOT NULL CHECK (jsonb_array_length(lines) BETWEEN 1 AND 100),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  uses_max bigint CHECK (uses_max > 0),
  used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  expires_at timestamptz,
  active boolean NOT NULL DEFAULT true,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  CHECK (used <= uses_max)
);
GRANT SELECT, INSERT, UPDATE ON payment_links TO bottega_app;

-- What a link was used for, once: the request that is paid with it.
CREATE TABLE payment_link_uses (
  merchant_id uuid NOT NULL,
  request_id uuid NOT NULL,
  link_id uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, request_id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES payment_links
);
GRANT SELECT, INSERT, DELETE ON payment_link_uses TO bottega_app;
