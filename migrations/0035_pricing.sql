-- How a shop sells: what it asks a buyer for, where it ships and for how much, which taxes it
-- takes, and its discount codes.

-- A shop without a row has the defaults. `rules` is what prices depend on, made anew with each
-- change of the zones, rates and taxes, so that a sale reads one row and adds nothing up.
CREATE TABLE checkout_settings (
  merchant_id uuid PRIMARY KEY REFERENCES merchants,
  tax_mode text NOT NULL DEFAULT 'none' CHECK (tax_mode IN ('none', 'inclusive', 'exclusive')),
  ask_address text NOT NULL DEFAULT 'required'
    CHECK (ask_address IN ('required', 'optional', 'none')),
  ask_email text NOT NULL DEFAULT 'none' CHECK (ask_email IN ('required', 'optional', 'none')),
  ask_phone text NOT NULL DEFAULT 'none' CHECK (ask_phone IN ('required', 'optional', 'none')),
  ask_name text NOT NULL DEFAULT 'none' CHECK (ask_name IN ('required', 'optional', 'none')),
  ask_billing text NOT NULL DEFAULT 'optional'
    CHECK (ask_billing IN ('required', 'optional', 'none')),
  tips jsonb NOT NULL
    DEFAULT '{"allowed": false, "suggested_percent": [], "most_percent": 100}',
  pre_checkout boolean NOT NULL DEFAULT false,
  -- For a seller who is asked before a charge and does not answer in time.
  standing_answer text NOT NULL DEFAULT 'accept' CHECK (standing_answer IN ('accept', 'refuse')),
  withdrawal_days bigint NOT NULL DEFAULT 14 CHECK (withdrawal_days BETWEEN 0 AND 365),
  disclosures jsonb,
  rules jsonb,
  -- NULL: all of this is as for a new shop, but for the rules.
  updated_by text,
  updated_at timestamptz
);
GRANT SELECT, INSERT, UPDATE ON checkout_settings TO bottega_app;

-- Regions and the beginnings of postal codes narrow one country.
CREATE TABLE shipping_zones (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  name text NOT NULL,
  -- None: everywhere.
  countries text[] NOT NULL,
  regions text[] NOT NULL,
  postal_prefixes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  CHECK (cardinality(countries) = 1
         OR (cardinality(regions) = 0 AND cardinality(postal_prefixes) = 0))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON shipping_zones TO bottega_app;

CREATE TABLE shipping_rates (
  merchant_id uuid NOT NULL REFERENCES merchants,
  zone_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  -- One per currency: {"currency", "amount", "free_from"}.
  prices jsonb NOT NULL,
  weight_over_g bigint CHECK (weight_over_g >= 0),
  weight_up_to_g bigint CHECK (weight_up_to_g >= 0),
  days_min bigint CHECK (days_min >= 0),
  days_max bigint CHECK (days_max >= 0),
  active boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, zone_id, id),
  FOREIGN KEY (merchant_id, zone_id) REFERENCES shipping_zones ON DELETE CASCADE,
  CHECK (weight_over_g < weight_up_to_g),
  CHECK (days_min <= days_max)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON shipping_rates TO bottega_app;

CREATE TABLE tax_rates (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  name text NOT NULL,
  country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  -- Empty: the whole country.
  region text NOT NULL,
  tax_class text NOT NULL,
  parts_per_million bigint NOT NULL CHECK (parts_per_million BETWEEN 0 AND 1000000),
  applies_to_shipping boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  -- The same tax twice would be taken twice.
  UNIQUE (merchant_id, country, region, tax_class, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON tax_rates TO bottega_app;

-- A code is kept in capitals. One that was removed stays for those who have used it.
CREATE TABLE discount_codes (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  code text NOT NULL CHECK (code = upper(code)),
  kind text NOT NULL CHECK (kind IN ('amount', 'percent', 'free_shipping')),
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  amount bigint CHECK (amount > 0),
  basis_points bigint CHECK (basis_points BETWEEN 1 AND 10000),
  least_total bigint CHECK (least_total > 0),
  starts_at timestamptz,
  ends_at timestamptz,
  uses_max bigint CHECK (uses_max > 0),
  uses_per_buyer_max bigint CHECK (uses_per_buyer_max > 0),
  used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  removed_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  CHECK ((kind = 'amount') = (amount IS NOT NULL)),
  CHECK ((kind = 'percent') = (basis_points IS NOT NULL)),
  CHECK (currency IS NOT NULL OR (amount IS NULL AND least_total IS NULL)),
  CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX discount_codes_code ON discount_codes (merchant_id, code)
  WHERE removed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON discount_codes TO bottega_app;

-- What a code was used for, once: `about_id` is what is paid for with it.
CREATE TABLE discount_uses (
  merchant_id uuid NOT NULL,
  about_id uuid NOT NULL,
  code_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, about_id),
  FOREIGN KEY (merchant_id, code_id) REFERENCES discount_codes
);
CREATE INDEX discount_uses_buyer ON discount_uses (merchant_id, code_id, buyer_id);
GRANT SELECT, INSERT, DELETE ON discount_uses TO bottega_app;
