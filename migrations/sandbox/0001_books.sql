-- The books of the processor that the sandbox plays. They are its own: written by its own role,
-- with its own connections and commits, so that they can be compared with the product's as a real
-- processor's are.

GRANT USAGE ON SCHEMA sandbox TO bottega_sandbox;
GRANT SELECT ON schema_migrations TO bottega_sandbox;

CREATE TABLE commit_tokens (
  token uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX commit_tokens_at ON commit_tokens USING brin (at);
GRANT SELECT, INSERT, DELETE ON commit_tokens TO bottega_sandbox;

-- Merchants' accounts. What the hosted page asks for (name, address, tax number) decides and is
-- forgotten.
CREATE TABLE accounts (
  reference text PRIMARY KEY,
  merchant text NOT NULL UNIQUE,
  state text NOT NULL CHECK (state IN ('pending', 'active', 'rejected')),
  return_url text NOT NULL,
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON accounts TO bottega_sandbox;

-- What a card number was exchanged for. The number itself is not kept.
CREATE TABLE methods (
  token text PRIMARY KEY,
  behaviour text NOT NULL,
  brand text NOT NULL,
  last_four text NOT NULL,
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON methods TO bottega_sandbox;

-- Every movement that was asked for, by the caller's idempotency key: asking twice moves once.
CREATE TABLE movements (
  key text PRIMARY KEY,
  operation text NOT NULL CHECK (operation IN ('charge', 'refund', 'payout')),
  reference text NOT NULL UNIQUE,
  account text NOT NULL,
  about text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  state text NOT NULL CHECK (state IN ('needs_confirmation', 'succeeded', 'declined')),
  reason text NOT NULL,
  return_url text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX movements_about ON movements (about);
CREATE INDEX movements_created ON movements (created_at, key);
GRANT SELECT, INSERT, UPDATE ON movements TO bottega_sandbox;

-- Signed events that the product is told by webhook, until it says that it has them.
CREATE TABLE events (
  id text PRIMARY KEY,
  body text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  delivered_at timestamptz
);
CREATE INDEX events_due ON events (next_at) WHERE delivered_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON events TO bottega_sandbox;
