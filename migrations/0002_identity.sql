-- People, their sessions, merchants with their members, and merchants' API keys. Tokens and keys
-- are kept as SHA-256 only; passwords as argon2id.

CREATE TABLE accounts (
  id uuid PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  password_hash text NOT NULL,
  staff_role text CHECK (staff_role IN ('support', 'finance', 'admin')),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON accounts TO bottega_app;

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  user_agent text NOT NULL,
  address text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_why text
);
CREATE INDEX sessions_account ON sessions (account_id, id);
GRANT SELECT, INSERT, UPDATE ON sessions TO bottega_app;

CREATE TABLE access_tokens (
  hash text PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions,
  expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
GRANT SELECT, INSERT, DELETE ON access_tokens TO bottega_app;

-- A refresh token is used once. One that comes a second time was stolen: its session ends.
CREATE TABLE refresh_tokens (
  hash text PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON refresh_tokens TO bottega_app;

-- What the processor knows of a merchant (name, address, tax number) never comes here: only its
-- reference and what it decided.
CREATE TABLE merchants (
  id uuid PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  name text NOT NULL,
  country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  onboarding text NOT NULL CHECK (onboarding IN ('pending', 'in_progress', 'active', 'rejected')),
  processor text NOT NULL,
  processor_account text,
  fee_basis_points bigint NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
  fee_fixed bigint NOT NULL CHECK (fee_fixed >= 0),
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX merchants_processor_account ON merchants (processor, processor_account)
  WHERE processor_account IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON merchants TO bottega_app;

CREATE TABLE merchant_members (
  merchant_id uuid NOT NULL REFERENCES merchants,
  account_id uuid NOT NULL REFERENCES accounts,
  role text NOT NULL CHECK (role IN ('agent', 'manager', 'owner')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, account_id)
);
CREATE INDEX merchant_members_account ON merchant_members (account_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON merchant_members TO bottega_app;

CREATE TABLE api_keys (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  name text NOT NULL,
  hash text NOT NULL UNIQUE,
  last_four text NOT NULL,
  scopes text[] NOT NULL,
  created_by uuid NOT NULL REFERENCES accounts,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (merchant_id, id)
);
GRANT SELECT, INSERT, UPDATE ON api_keys TO bottega_app;
